import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { conformanceChecks, type Fixtures } from "./kit/conformance.ts";
import { connectorById, connectors } from "./registry.ts";

describe.each(connectors.map((connector) => [connector.id, connector] as const))("%s", (id, connector) => {
  test.each(conformanceChecks(connector, fixturesOf(id)))("$name", (check) => check.run());
});

test("a connector is found by its id, and by nothing else", () => {
  expect(connectors.map(({ id }) => connectorById(id))).toEqual(connectors);
  expect(connectorById("toString")).toBeNull();
});

function fixturesOf(connectorId: string): Fixtures {
  const folder = new URL(`./${connectorId}/fixtures/`, import.meta.url);
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
}
