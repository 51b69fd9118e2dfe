/** A process with a wrong master key stops before it writes: real processes, every row of every table looked at. */
import { parseConfig, prepareLocalFiles, startPatchbay } from "@patchbay/backend";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../harness/database.ts";
import { runPatchbay } from "../harness/run-patchbay.ts";
import { scratchRoot } from "../harness/scratch-root.ts";

const EX_CONFIG = 78;

let database: TestDatabase;
let folder: string;
let env: Readonly<Record<string, string>>;
let before: Readonly<Record<string, string>>;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(await scratchRoot(), "wrong-key-"));
  env = {
    PATCHBAY_DATA_DIR: folder,
    PATCHBAY_PORT: "0",
    PATCHBAY_LOG_LEVEL: "silent",
    DATABASE_URL: database.url,
  };
  const config = parseConfig(env, folder);
  await prepareLocalFiles(config);
  const patchbay = await startPatchbay({ config, roles: { api: true, worker: true } });
  const { id } = await patchbay.createWorkspace({ name: "Acme", mode: "test", returnUrls: [] });
  await patchbay.createApiKey(id, { name: "backend" });
  await patchbay.close();
  before = await everyRow();
  expect(before["public.data_keys"]).not.toMatch(/^0 /);
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

describe("a process with a wrong master key", () => {
  test.each([
    ["worker", ["worker"]],
    ["a command that writes", ["workspaces", "create", "--name", "Another"]],
  ])("V9: exits with 78 and writes no row: %s", async (_, args) => {
    const { code, said } = await run(args, { PATCHBAY_KEY_FILE: await aKeyFile("1") });
    expect(said).toMatch(/^The configured key \(local, version 1\) is not the one that this database was sealed with/);
    expect(code).toBe(EX_CONFIG);
    expect(await everyRow()).toEqual(before);
  });

  test("V9: exits with 78 and writes no row when the version in use is missing", async () => {
    const { code, said } = await run(["serve"], { PATCHBAY_KEY_FILE: await aKeyFile("2") });
    expect(said).toMatch(/^This database needs version 1 of the keys of "local", which is not configured/);
    expect(code).toBe(EX_CONFIG);
    expect(await everyRow()).toEqual(before);
  });

  test("V9: exits with 78 and writes no row under another deployment's name", async () => {
    const { code, said } = await run(["serve"], { PATCHBAY_DEPLOYMENT: "staging" });
    expect(said).toMatch(/PATCHBAY_DEPLOYMENT has changed; restore the right key and name/);
    expect(code).toBe(EX_CONFIG);
    expect(await everyRow()).toEqual(before);
  });

  test("with the right key again, goes on", async () => {
    const { code, said } = await run(["keys", "status"], {});
    expect(said).toContain("local");
    expect(code).toBe(0);
  });
});

async function aKeyFile(version: string): Promise<string> {
  const path = join(folder, randomBytes(4).toString("hex"));
  await writeFile(path, `pbk1:${version}:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  return path;
}

function run(args: readonly string[], more: Readonly<Record<string, string>>) {
  return runPatchbay(args, { cwd: folder, env: { ...env, ...more } });
}

/** Table → number of rows and a hash over them, for every table there is. */
async function everyRow(): Promise<Readonly<Record<string, string>>> {
  const tables = await database.sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('public', 'queue', 'app', 'pgboss', 'drizzle') order by 1`;
  const rows: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await database.sql.unsafe<{ count: string; hash: string | null }[]>(
      `select count(*) as count, md5(string_agg(md5(t::text), '' order by md5(t::text))) as hash from ${name} t`,
    );
    rows[name] = `${row?.count ?? "?"} ${row?.hash ?? "-"}`;
  }
  return rows;
}
