import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../harness/free-port.ts";
import { scratchRoot } from "../harness/scratch-root.ts";
import { waitFor } from "../harness/wait-for.ts";

const START = fileURLToPath(new URL("../../scripts/start.ts", import.meta.url));
const READY_MS_MAX = 60_000;

let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(await scratchRoot(), "start-"));
  env = {
    PATCHBAY_DATA_DIR: join(folder, ".patchbay"),
    PATCHBAY_PORT: String(await freePort()),
    PATCHBAY_HOST_APP_PORT: String(await freePort()),
    PATCHBAY_SANDBOX_PORT: String(await freePort()),
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

// One after the other: each start finds what the one before left.
describe("npm start", () => {
  test("runs every part, and Ctrl-C leaves no database server behind", async () => {
    const started = await start();
    const pages = ["PATCHBAY_PORT", "PATCHBAY_HOST_APP_PORT", "PATCHBAY_SANDBOX_PORT"].map((name) => env[name]);
    for (const port of pages) expect((await fetch(`http://localhost:${port}/`)).status).toBeLessThan(500);
    const postgres = await postmasterPid();
    expect(await started.stop("SIGINT")).toBe(0);
    expect(isRunning(postgres)).toBe(false);
  });

  test("keeps its data over a stop, and over kill -9 of everything but the database", async () => {
    const key = await apiKey();
    const killed = await start();
    killed.child.kill("SIGKILL");
    await once(killed.child, "exit");
    const again = await start();
    const response = await fetch(`http://localhost:${env["PATCHBAY_PORT"]}/v1/tenants`, {
      headers: { authorization: `Bearer ${key}` },
    });
    expect(await response.json()).toMatchObject({ data: [{ id: "lumen-oak" }, { id: "northwind" }] });
    expect(await again.stop("SIGTERM")).toBe(0);
  });

  test("says in one sentence that a port is in use, and which setting moves it", async () => {
    const other = createServer().listen(Number(env["PATCHBAY_SANDBOX_PORT"]), "127.0.0.1");
    await once(other, "listening");
    expect(await failure()).toMatch(/^Port \d+ is in use by another program\..*PATCHBAY_SANDBOX_PORT=\d+ npm start$/);
    other.close();
  });

  test("says that the key file is missing, and does not make another", async () => {
    const keys = join(env["PATCHBAY_DATA_DIR"] ?? "", "keys");
    await rename(keys, `${keys}.away`);
    expect(await failure()).toMatch(/^There is no key file at .*restore it from your backup\.$/);
    await rename(`${keys}.away`, keys);
  });

  test("says that a file stands where the data folder should be", async () => {
    const path = join(folder, "not-a-folder");
    await writeFile(path, "");
    expect(await failure({ PATCHBAY_DATA_DIR: path })).toMatch(
      /^Cannot write .*: a file stands .* PATCHBAY_DATA_DIR or /,
    );
  });

  test("says that the database's files are damaged, and what to do", async () => {
    const control = join(env["PATCHBAY_DATA_DIR"] ?? "", "cluster", "global", "pg_control");
    await rename(control, `${control}.away`);
    await writeFile(control, "garbage");
    expect(await failure()).toMatch(/^The database in .* is damaged .*: restore it from a copy, or move .* away/);
    await rename(`${control}.away`, control);
  });

  test.each([
    ["an address without a server", "postgres://a:b@127.0.0.1:9/x", /^DATABASE_URL: no connection to 127\.0\.0\.1:9/],
    ["no address", "nonsense", /^DATABASE_URL must look like postgres:/],
  ])("says what is wrong with a DATABASE_URL that is %s", async (_, url, sentence) => {
    expect(await failure({ DATABASE_URL: url })).toMatch(sentence);
  });
});

async function start(more: Record<string, string> = {}) {
  const child = run(more);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await waitFor(() => output.includes("Patchbay is ready") || child.exitCode !== null, {
    timeoutMs: READY_MS_MAX,
    what: "the start",
  });
  if (child.exitCode !== null) throw new Error(output);
  return {
    child,
    async stop(signal: NodeJS.Signals): Promise<number | null> {
      child.kill(signal);
      const [code] = (await once(child, "exit")) as [number | null];
      return code;
    },
  };
}

/** What a start that must fail says on stderr. */
async function failure(more: Record<string, string> = {}): Promise<string> {
  const child = run(more);
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBeGreaterThan(0);
  return said.trim();
}

function run(more: Record<string, string>): ChildProcess {
  const { PATH = "", HOME = "" } = process.env;
  return spawn(process.execPath, [START], { cwd: folder, env: { PATH, HOME, ...env, ...more }, stdio: "pipe" });
}

async function apiKey(): Promise<string> {
  return (await readFile(join(env["PATCHBAY_DATA_DIR"] ?? "", "demo-api-key"), "utf8")).trim();
}

async function postmasterPid(): Promise<number> {
  const file = await readFile(join(env["PATCHBAY_DATA_DIR"] ?? "", "cluster", "postmaster.pid"), "utf8");
  return Number(file.split("\n")[0]);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
