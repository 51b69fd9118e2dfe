/** The inbox door against requests at random: `pnpm fuzz:inbox` sends 100,000. */
import { encodeUuid } from "@patchbay/shared";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";
import { randomRequests, type RandomRequest } from "./random-requests.ts";

const REQUESTS = Number(process.env["PATCHBAY_TEST_INBOX"] ?? 2_000);
const SEED = Number(process.env["PATCHBAY_TEST_SEED"] ?? 20_261_122);
const SECRET = "sandbox-secret-0001";
const AT_ONCE = 16;
const MIB = 1024 * 1024;
/** From the end of the first fifth on: caches are full and code is compiled by then. */
const MEMORY_GROWTH_MIB_MAX = 128;
const ANSWER_MS_MAX = 60_000;

let product: TestProduct;
let source: string;
beforeAll(async () => {
  product = await startTestProduct();
  await connectStore(product, await product.addWorkspace());
  const [row] = await product.database.sql<{ id: string; workspace_id: string }[]>`
    select id, workspace_id from sources order by id limit 1`;
  source = `src_${encodeUuid(row?.id ?? "")}_${encodeUuid(row?.workspace_id ?? "")}`;
}, 120_000);
afterAll(() => product.close());

test(
  `takes ${REQUESTS} requests at random: what is signed is kept, nothing else is, nothing fails, and memory stays flat`,
  { timeout: 1_800_000 },
  async () => {
    const next = randomRequests(SEED, { source, secret: SECRET });
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    const before = await kept();
    const wrong: string[] = [];
    const statuses = new Map<number, number>();
    const memory: number[] = [];
    let sent = 0;
    let accepted = 0;

    async function sendSome(): Promise<void> {
      while (sent < REQUESTS) {
        if (sent % Math.ceil(REQUESTS / 5) === 0) memory.push(process.memoryUsage().rss / MIB);
        sent++;
        const each = next();
        const status = each.raw === null ? await send(agent, each) : await sendRaw(each, each.raw);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        const taken = status === 200 && each.path.startsWith("/in/");
        if (taken) accepted++;
        const shed = status === 503 && each.genuine;
        if ((status >= 500 && !shed) || (taken !== each.genuine && !shed)) {
          wrong.push(
            `${each.method} ${each.path.slice(0, 80)} ${each.body.length} bytes, genuine ${each.genuine}: ${status}`,
          );
        }
      }
    }
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE }, sendSome));
    const seconds = (performance.now() - startedMs) / 1_000;
    agent.destroy();
    memory.push(process.memoryUsage().rss / MIB);

    const report = { seed: SEED, sent, accepted, seconds: Math.round(seconds), statuses: Object.fromEntries(statuses) };
    process.stdout.write(`inbox: ${JSON.stringify({ ...report, memoryMiB: memory.map(Math.round) })}\n`);
    expect(wrong).toEqual([]);
    expect(accepted).toBeGreaterThan(REQUESTS / 10);
    // Each that was answered 200 is kept, and no other: what a connection broke off in between, too.
    expect((await kept()) - before).toBe(accepted);
    expect((memory.at(-1) ?? 0) - (memory[1] ?? 0)).toBeLessThan(MEMORY_GROWTH_MIB_MAX);
    expect(await serverErrors()).toEqual([]);
  },
);

test("has worked off all of it, and still takes real deliveries in", { timeout: 300_000 }, async () => {
  const { sql } = product.database;
  await waitFor(async () => (await sql`select 1 from queue.arrivals limit 1`).length === 0, { timeoutMs: 240_000 });
  const [row] = await sql<{ open: string }[]>`
    select count(*) as open from inbox i where not exists (select from inbox_outcomes o where o.inbox_id = i.id)`;
  expect(row?.open).toBe("0");
});

function send(agent: Agent, { method, path, headers, body }: RandomRequest): Promise<number> {
  const { hostname, port } = new URL(product.url);
  return new Promise((resolve, reject) => {
    const options = { agent, hostname, port, method, path, headers: { ...headers, "content-length": body.length } };
    const asked = request(options, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(answer.statusCode ?? 0));
      answer.once("error", reject);
    });
    asked.setTimeout(ANSWER_MS_MAX, () => asked.destroy(new Error(`no answer to ${method} ${path}`)));
    // Who refuses a body may close the connection before it has all of it.
    asked.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EPIPE" || error.code === "ECONNRESET" ? resolve(0) : reject(error),
    );
    asked.end(body);
  });
}

/** With a length that is none or not its own, and the connection closed in the middle. */
function sendRaw(
  { method, path, headers, body }: RandomRequest,
  raw: { length: string; sent: number },
): Promise<number> {
  const { hostname, port } = new URL(product.url);
  const lines = Object.entries({ host: hostname, connection: "close", ...headers, "content-length": raw.length });
  const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("error", () => socket.destroy());
    socket.once("close", () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)));
    socket.end(Buffer.concat([Buffer.from(head, "latin1"), body.subarray(0, raw.sent)]));
  });
}

async function kept(): Promise<number> {
  const [row] = await product.database.sql<{ count: string }[]>`select count(*) from inbox`;
  return Number(row?.count);
}

/** As the server itself counted its answers, those included that nobody was there to hear. */
async function serverErrors(): Promise<string[]> {
  const headers = { authorization: `Bearer ${product.operatorToken}` };
  const text = await (await fetch(`${product.url}/metrics`, { headers })).text();
  return text
    .split("\n")
    .filter((line) => line.startsWith("http_server_request_duration_seconds_count") && /status="5/.test(line))
    .filter((line) => !line.includes('status="503"') && line.includes("/in/"));
}
