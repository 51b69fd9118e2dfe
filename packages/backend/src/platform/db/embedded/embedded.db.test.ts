import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import { freePort } from "../../../../../../test/harness/free-port.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { scratchRoot } from "../../../../../../test/harness/scratch-root.ts";
import { waitFor } from "../../../../../../test/harness/wait-for.ts";
import { silentLogger } from "../../observability/index.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "./index.ts";

/** These look into /proc. */
const testOnLinux = test.runIf(process.platform === "linux");

/** A stopped cluster, copied where a test is not about the first start. */
let made: string;
let dataDir: string;
let running: EmbeddedPostgres[];
let helpers: ChildProcess[];

beforeAll(async () => {
  made = await mkdtemp(join(await scratchRoot(), "patchbay-embedded-"));
  await (await startEmbeddedPostgres({ dataDir: made, log: silentLogger, fsync: false })).stop();
});

afterAll(() => rm(made, { recursive: true, force: true }));

beforeEach(async () => {
  dataDir = await mkdtemp(join(await scratchRoot(), "patchbay-embedded-"));
  running = [];
  helpers = [];
});

afterEach(async () => {
  for (const server of running) await server.stop();
  for (const helper of helpers) helper.kill();
  await rm(dataDir, { recursive: true, force: true });
});

describe("first start", () => {
  test("makes a UTF-8 cluster whose sort order does not depend on the system, with a database for the product", async () => {
    const server = await start();

    const [row] = await query(
      server,
      "select datlocprovider, datlocale, pg_encoding_to_char(encoding) as encoding from pg_database where datname = 'patchbay'",
    );
    expect(row).toEqual({ datlocprovider: "b", datlocale: "C.UTF-8", encoding: "UTF8" });
    expect(server.adopted).toBe(false);
  });

  test("listens on the unix socket alone and asks for the password there", async () => {
    const server = await start();

    expect(await query(server, "show listen_addresses")).toEqual([{ listen_addresses: "" }]);
    const guess = { ...server, adminConnection: { ...server.adminConnection, password: "guess" } };
    await expect(query(guess, "select 1")).rejects.toThrow("password authentication failed");
  });

  test("keeps passwords in files that only their owner may read", async () => {
    await start();

    for (const name of ["superuser.password", "login.password"]) {
      expect((await stat(join(dataDir, name))).mode & 0o777).toBe(0o400);
    }
  });

  testOnLinux("gives the server nothing of this process's environment", async () => {
    const server = await start();

    const environment = await readFile(`/proc/${server.pid}/environ`, "utf8");
    expect(environment.split("\0").map((entry) => entry.split("=")[0])).toEqual(
      expect.arrayContaining(["PATH", "LC_ALL"]),
    );
    expect(environment).not.toContain("VITEST");
  });

  test("replaces a cluster that an interrupted first start left half made", async () => {
    await mkdir(join(dataDir, "cluster.unfinished"));
    await writeFile(join(dataDir, "cluster.unfinished", "PG_VERSION"), "18\n");

    const server = await start();

    expect(await query(server, "select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describe("next start", () => {
  beforeEach(() => cp(made, dataDir, { recursive: true }));

  test("finds the data and the same passwords", async () => {
    const first = await start();
    await query(first, "create table kept as select 7 as n");
    await first.stop();

    const second = await start();

    expect(await query(second, "select n from kept")).toEqual([{ n: 7 }]);
    expect(second.loginPassword).toBe(first.loginPassword);
    expect(second.pid).not.toBe(first.pid);
  });

  test("adopts the server of an owner that was killed, with every committed row", async () => {
    const orphan = await startInKilledProcess("create table acknowledged as select generate_series(1, 1000) as n");

    const server = await start();

    expect(server.adopted).toBe(true);
    expect(server.pid).toBe(orphan);
    expect(await query(server, "select count(*)::int as rows from acknowledged")).toEqual([{ rows: 1000 }]);
  });

  test("stops an adopted server as well", async () => {
    await startInKilledProcess("select 1");
    const server = await start();

    await server.stop();

    await expect(query(server, "select 1")).rejects.toThrow("connect");
  });

  test("recovers when the server itself was killed", async () => {
    const first = await start({ fsync: true });
    await query(first, "create table acknowledged as select generate_series(1, 1000) as n");
    process.kill(first.pid, "SIGKILL");
    await first.stop();

    const second = await start();

    expect(second.adopted).toBe(false);
    expect(await query(second, "select count(*)::int as rows from acknowledged")).toEqual([{ rows: 1000 }]);
  });

  test("is not stopped by a pid file whose number now belongs to another process", async () => {
    const other = spawnHelper("sleep", ["30"]);
    await leavePidFile(other.pid ?? 0);

    const server = await start();

    expect(server.adopted).toBe(false);
    expect(await query(server, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  testOnLinux("is not stopped by a pid file whose process is a zombie", async () => {
    // The shell leaves a child to a program that never asks how it ended.
    const keeper = spawnHelper("sh", ["-c", "sleep 0.05 & echo $!; exec sleep 30"]);
    const [line] = await once(keeper.stdout, "data");
    const zombie = Number(line);
    await waitFor(async () => /\) Z /.test(await readFile(`/proc/${zombie}/stat`, "utf8")), { what: "a zombie" });
    await leavePidFile(zombie);

    const server = await start();

    expect(server.adopted).toBe(false);
    expect(await query(server, "select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describe("two starts on one folder", () => {
  beforeEach(() => cp(made, dataDir, { recursive: true }));

  test("the second is refused and told who holds the folder", async () => {
    await start();

    await expect(startEmbeddedPostgres({ dataDir, log: silentLogger })).rejects.toThrow(
      `already running with the data folder ${dataDir} (process ${process.pid}); stop it first.`,
    );
  });

  test("the second is welcome after the first has stopped", async () => {
    const first = await start();
    await Promise.all([first.stop(), first.stop()]);

    await expect(start()).resolves.toMatchObject({ adopted: false });
  });
});

describe("folders", () => {
  test("a path too long for a unix socket gets a private folder elsewhere", async () => {
    const long = join(dataDir, "with a space and ümläut", "x".repeat(90));

    const server = await start({ dataDir: long });

    expect(server.socketDir.startsWith(long)).toBe(false);
    expect((await stat(server.socketDir)).mode & 0o777).toBe(0o700);
    expect(await query(server, "select 1 as one")).toEqual([{ one: 1 }]);
    await server.stop();
    await rm(server.socketDir, { recursive: true });
  });

  test("also listens on 127.0.0.1 when a port is asked for", async () => {
    await cp(made, dataDir, { recursive: true });
    const server = await start({ port: await freePort() });

    const connection = { ...server.adminConnection, host: "127.0.0.1" };
    expect(await query({ ...server, adminConnection: connection }, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("a cluster with its control file damaged is told in one sentence", async () => {
    await cp(made, dataDir, { recursive: true });
    await writeFile(join(dataDir, "cluster", "global", "pg_control"), "");

    await expect(start()).rejects.toThrow(/^The database in .*cluster is damaged \(.*pg_control.*\): restore it/);
  });

  test("a cluster without PG_VERSION is told in one sentence", async () => {
    await cp(made, dataDir, { recursive: true });
    await rm(join(dataDir, "cluster", "PG_VERSION"));

    await expect(start()).rejects.toThrow("is damaged (it has no PG_VERSION file)");
  });

  test("a cluster of another major version is told in one sentence", async () => {
    await cp(made, dataDir, { recursive: true });
    await writeFile(join(dataDir, "cluster", "PG_VERSION"), "17\n");

    await expect(start()).rejects.toThrow(/was made by PostgreSQL 17 and this Patchbay brings 18: /);
  });

  test("a cluster whose password file is gone is told in one sentence", async () => {
    await cp(made, dataDir, { recursive: true });
    await rm(join(dataDir, "superuser.password"));

    await expect(start()).rejects.toThrow(/superuser.password is missing/);
  });

  test("a file in the place of the folder is told in one sentence", async () => {
    await writeFile(join(dataDir, "file"), "");

    await expect(start({ dataDir: join(dataDir, "file") })).rejects.toThrow(/^The data folder .*file cannot be made: /);
  });
});

async function start(options: { dataDir?: string; port?: number; fsync?: boolean } = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, log: silentLogger, fsync: false, ...options });
  running.push(server);
  return server;
}

/** As a server leaves it that was killed and whose number then went to `pid`. */
async function leavePidFile(pid: number): Promise<void> {
  const before = await start();
  const path = join(dataDir, "cluster", "postmaster.pid");
  const notes = await readFile(path, "utf8");
  await before.stop();
  await writeFile(path, notes.replace(/^\d+/, String(pid)));
}

function spawnHelper(program: string, args: readonly string[]) {
  const helper = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  helpers.push(helper);
  return helper;
}

async function query(server: Pick<EmbeddedPostgres, "adminConnection">, text: string): Promise<readonly unknown[]> {
  const sql = postgres({ ...server.adminConnection, max: 1 });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end();
  }
}

/** Starts a server in a process that then dies by SIGKILL, after `statement` was committed. */
async function startInKilledProcess(statement: string): Promise<number> {
  const program = `
    import postgres from "postgres";
    import { startEmbeddedPostgres } from "./index.ts";
    const log = { debug() {}, info() {}, warn() {}, error() {}, with: () => log };
    const server = await startEmbeddedPostgres({ dataDir: process.env.DATA_DIR, log });
    await postgres(server.adminConnection).unsafe(process.env.STATEMENT);
    process.stdout.write(String(server.pid), () => process.kill(process.pid, "SIGKILL"));
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: import.meta.dirname,
    env: { PATH: process.env["PATH"], DATA_DIR: dataDir, STATEMENT: statement },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  const [, signal] = await once(child, "close");
  expect(signal).toBe("SIGKILL");
  return Number(output);
}
