import { EVENT_TYPES, OPERATIONAL_EVENT_TYPES } from "@patchbay/shared";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";

const BACKEND = join(import.meta.dirname, "../packages/backend/src");
let sources = "";

beforeAll(async () => {
  const names = await readdir(BACKEND, { recursive: true });
  const files = names.filter((name) => name.endsWith(".ts") && !/\.test\.ts$|(^|\/)testing\//.test(name));
  sources = (await Promise.all(files.map((file) => readFile(join(BACKEND, file), "utf8")))).join("\n");
});

test.each(OPERATIONAL_EVENT_TYPES)("%s is no dead name: the backend writes it, whole or in its parts", (type) => {
  const [family = "", what = ""] = type.split(".");
  const inParts = sources.includes(`\`${family}.\${`) && sources.includes(`"${what}"`);
  expect(sources.includes(`"${type}"`) || inParts).toBe(true);
});

test("events of every model are told by the one way into the records", () => {
  expect(sources).toContain("type: `${candidate.model}.${verb}`");
});

test("the guide lists every type that is not a record's", async () => {
  const guide = await readFile(join(import.meta.dirname, "../docs/guides/events.md"), "utf8");
  const models = EVENT_TYPES.filter((type) => type.endsWith(".created")).map((type) => type.split(".")[0]);
  expect(OPERATIONAL_EVENT_TYPES.filter((type) => !guide.includes(`\`${type}\``))).toEqual([]);
  expect(models.filter((model) => !guide.includes(`\`${model}\``))).toEqual([]);
});
