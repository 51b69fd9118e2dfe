import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const sdk = join(root, "packages/node-sdk");

/** An empty folder with nothing but the built package and Node's types, as after `npm install`. */
let folder: string;
let installed: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "patchbay-node-"));
  installed = join(folder, "node_modules/@patchbay/node");
  await mkdir(join(folder, "node_modules/@types"), { recursive: true });
  await mkdir(installed, { recursive: true });
  await symlink(join(root, "node_modules/@types/node"), join(folder, "node_modules/@types/node"));
  const tsdown = join(sdk, "node_modules/tsdown/dist/run.mjs");
  await run(process.execPath, [tsdown, "--out-dir", join(installed, "dist")], { cwd: sdk, timeout: 60_000 });
  const manifest: Manifest = JSON.parse(await readFile(join(sdk, "package.json"), "utf8"));
  const { publishConfig, ...rest } = manifest;
  await writeFile(join(installed, "package.json"), JSON.stringify({ ...rest, ...publishConfig }));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the built @patchbay/node", () => {
  test("has no dependencies and imports nothing but itself", async () => {
    const manifest: Manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
    expect(Object.keys(manifest.dependencies ?? {})).toEqual([]);
    for (const file of ["dist/index.js", "dist/index.d.ts"]) {
      const code = await readFile(join(installed, file), "utf8");
      expect(code).not.toMatch(/^\s*(import|export) .*["'].*["'];?$|^\s*import ["']|import\(["'`]/m);
      expect(code).not.toMatch(/\bz\.|zod|@patchbay\/shared/);
    }
  });

  test("type-checks in a strict program, with events told apart by their type", async () => {
    await writeFile(join(folder, "program.ts"), PROGRAM);
    const options = { ...STRICT, types: ["node"] };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["program.ts"] }));
    const answer = await run(join(root, "node_modules/.bin/tsc"), ["-p", folder], { timeout: 60_000 }).catch(
      (error: { stdout: string }) => error,
    );
    expect(answer.stdout).toBe("");
  });

  test("runs, and verifies what it signed", async () => {
    const { stdout } = await run(process.execPath, [join(folder, "program.js")], { cwd: folder, timeout: 30_000 });
    expect(stdout).toBe("endpoint.test\n");
  });
});

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly publishConfig: object;
}

const STRICT = {
  target: "es2022",
  lib: ["es2022"],
  module: "nodenext",
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
};

const PROGRAM = `
import { Patchbay, type Order, type PatchbayEvent } from "@patchbay/node";

export function amountOf(event: PatchbayEvent): number | null {
  switch (event.type) {
    case "order.created": {
      const order: Order | null = event.data.object;
      return order?.totalAmount ?? null;
    }
    case "refund.created": return event.data.object?.amount ?? event.data.ref.version;
    case "run.completed": return event.data.run.models.length;
    case "connection.activated": return event.data.connection.grantedScopes.length;
    // @ts-expect-error there is no such type
    case "order.exploded": return 0;
    default: return null;
  }
}

export async function totals(patchbay: Patchbay): Promise<number[]> {
  const orders = await patchbay.tenant("acme").records.list("order", { updatedAfter: new Date() }).toArray({ limit: 5 });
  return orders.map((order) => order.totalAmount);
}

const patchbay = new Patchbay({ apiKey: "pb_test_1", webhookSecret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" });
const event: PatchbayEvent = {
  id: "evt_1", type: "endpoint.test", timestamp: "2026-01-01T00:00:00.000Z", mode: "test", tenantId: null,
  connection: null, data: {} as never,
};
const signed = await patchbay.webhooks.signTestEvent(event, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
process.stdout.write((await patchbay.webhooks.unwrap(signed.body, signed.headers)).type + "\\n");
`;
