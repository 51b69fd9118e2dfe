/** The operator's login may create roles, and is no superuser. */
import { bindCommands, explainStartError } from "@patchbay/backend";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { scratchRoot } from "../harness/scratch-root.ts";
import { databaseUrl, startEmbeddedPostgres } from "../../packages/backend/src/platform/db/embedded/index.ts";
import { silentLogger } from "../../packages/backend/src/platform/observability/index.ts";

let folder: string;
let server: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(await scratchRoot(), "modest-"));
  server = await startEmbeddedPostgres({ dataDir: join(folder, "postgres"), log: silentLogger, fsync: false });
  const sql = postgres({ ...server.adminConnection, max: 1, onnotice: () => {} });
  await sql.unsafe("create role modest login createrole password 'modest'");
  await sql.unsafe("create role nobody_much login password 'nobody'");
  for (const name of ["one", "two"]) await sql.unsafe(`create database ${name} owner modest`);
  await sql.unsafe("create database three owner nobody_much");
  await sql.end();
  file = join(folder, "saved.gz");
  await commandsOn("one").createKeyFile();
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

test("a login that may create roles sets the product up, again too, saves and restores", async () => {
  for (let times = 0; times < 2; times++) await commandsOn("one").migrate();
  await commandsOn("one").createWorkspace({ name: "Saved", mode: "test", returnUrls: [] });
  await commandsOn("one").backup(file);
  await commandsOn("two").restore(file, { dryRun: false });
  const lines: string[] = [];
  await commandsOn("two", lines).listWorkspaces();
  expect(lines.join()).toContain("Saved");
  const again = await commandsOn("two").restore(file, { dryRun: false }).catch(explainStartError);
  expect(again).toEqual({ message: expect.stringContaining("holds 1 workspace") as string, exitCode: 1 });
});

test("one that may not is told in a sentence, with the statements for somebody who may", async () => {
  const told = await commandsOn("three", [], "nobody_much:nobody").migrate().catch(explainStartError);
  expect(told).toEqual({
    message: expect.stringMatching(
      /"nobody_much" may not create roles\. Let a superuser run this[\s\S]*CREATE ROLE/,
    ) as string,
    exitCode: 1,
  });
});

function commandsOn(database: string, lines: string[] = [], login = "modest:modest") {
  const [user = "", password = ""] = login.split(":");
  return bindCommands({
    env: {
      DATABASE_URL: databaseUrl({ ...server.adminConnection, database, user, password }),
      PATCHBAY_DATA_DIR: join(folder, "data"),
      PATCHBAY_LOG_LEVEL: "silent",
    },
    cwd: folder,
    print: (line) => void lines.push(line),
  });
}
