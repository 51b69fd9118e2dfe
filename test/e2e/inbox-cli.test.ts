/** The inbox at the command line, beside a running product. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bindCommands } from "../../packages/backend/src/commands.ts";
import { createProgram } from "../../packages/backend/src/surface/cli/index.ts";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";
import { inboxUrl, postWebhook } from "./delivery-order/webhook-post.ts";

const SINCE = "2020-01-01T00:00:00Z";
const SHOWN = 3;

let product: TestProduct;
let ours: TestWorkspace;
let theirs: TestWorkspace;
let connectionId: string;
beforeAll(async () => {
  product = await startTestProduct();
  [ours, theirs] = [await product.addWorkspace(), await product.addWorkspace()];
  connectionId = (await connectStore(product, ours, { models: ["order"] })).id;
  const url = await inboxUrl(product.sandbox);
  const body = '{"id":1,"admin_graphql_api_id":"gid://shopify/Order/1"}';
  for (let n = 0; n < SHOWN; n++) expect(await postWebhook({ url, topic: "orders/updated", body })).toBe(200);
  expect(await postWebhook({ url, topic: "orders/updated", body: "{}" })).toBe(200);
  await waitFor(async () => (await product.database.sql`select 1 from queue.arrivals`).length === 0);
}, 120_000);
afterAll(() => product.close());

describe("patchbay inbox list", () => {
  test("shows what arrived, newest first, by status, connection, source and time", async () => {
    const all = await listed(ours);
    expect(all).toHaveLength(SHOWN + 1);
    expect(all.map(({ id }) => id)).toEqual((await ours.sdk.inbox.list()).data.map(({ id }) => id));
    const [broken] = await listed(ours, "--status", "quarantined");
    expect(broken).toEqual(all[0]);
    expect(await listed(ours, "--connection", connectionId)).toHaveLength(SHOWN);
    expect(await listed(ours, "--source", all[0]?.sourceId ?? "", "--provider", "shopify")).toHaveLength(SHOWN + 1);
    expect(await listed(ours, "--provider", "nobody")).toEqual([]);
    expect(await listed(ours, "--until", all[1]?.receivedAt ?? "")).toHaveLength(SHOWN - 1);
  });

  test("shows another workspace none of it, not even by connection", async () => {
    expect(await listed(theirs)).toEqual([]);
    expect(await listed(theirs, "--connection", connectionId)).toEqual([]);
  });
});

describe("patchbay inbox replay", () => {
  let ids: readonly string[];
  beforeAll(async () => {
    ids = (await listed(ours, "--status", "routed")).map(({ id }) => id);
  });

  test("counts, and changes nothing without --start", async () => {
    expect(await run("replay", ours, "--since", SINCE)).toBe(
      `${SHOWN + 1} webhooks; with --start they are routed once more`,
    );
    expect(await run("replay", ours, "--since", SINCE, "--status", "routed")).toMatch(/^3 webhooks/);
    expect(await run("replay", ours, "--since", SINCE, "--connection", connectionId)).toMatch(/^3 webhooks/);
    expect(await run("replay", ours, "--id", ...ids.slice(0, 2))).toMatch(/^2 webhooks/);
    expect(await run("replays", ours)).toBe("");
  });

  test("routes once more what was named, with --start, and tells how far it got", async () => {
    const begun = JSON.parse(await run("replay", ours, "--id", ...ids.slice(0, 2), "--start", "--rate", "1000"));
    expect(begun).toMatchObject({ status: "running", ids: 2, matches: 2, ratePerSecond: 1_000 });
    const ended = await waitFor(async () => {
      const replay = JSON.parse(await run("replays", ours));
      return replay.status === "completed" ? replay : null;
    });
    expect(ended).toMatchObject({ id: begun.id, replayed: 2, skipped: 0, failed: 0 });
  });

  test("reaches nothing of another workspace by its ids", async () => {
    expect(await run("replay", theirs, "--id", ...ids)).toMatch(/^0 webhooks/);
    const begun = JSON.parse(await run("replay", theirs, "--id", ...ids, "--start"));
    await waitFor(async () => (await theirs.sdk.inbox.retrieveReplay(begun.id)).status === "completed");
    expect(await theirs.sdk.inbox.retrieveReplay(begun.id)).toMatchObject({ matches: 0, replayed: 0 });
  });

  test.each([
    ["nothing to go by", [], "give either ids, or a filter with since"],
    ["ids and a filter", ["--id", "inb_1", "--since", SINCE], "give either ids, or a filter with since"],
    ["ids and a status", ["--id", "inb_1", "--status", "routed"], "ids need no filter"],
    ["what is routed anyway", ["--since", SINCE, "--status", "received"], "is routed by itself"],
    ["an id of something else", ["--id", "conn_1"], "is no id that begins with inb_"],
    ["a connection that is none", ["--since", SINCE, "--connection", "acme"], "begins with conn_"],
    ["a day without a time", ["--since", "2026-11-01"], "say it as 2027-01-01T00:00:00Z"],
    ["a status that is none", ["--since", SINCE, "--status", "lost"], "Allowed choices are"],
    ["a rate of nothing", ["--since", SINCE, "--rate", "0"], "say 1 to 1000"],
  ])("refuses %s, says why and begins nothing", async (_, options, said) => {
    const before = await replays();
    await expect(run("replay", ours, ...options, "--start")).rejects.toThrow(said);
    expect(await replays()).toEqual(before);
  });

  test.each([
    ["is none", "acme", "is no workspace id"],
    ["is nobody's", `ws_${"0".repeat(25)}1`, "no such workspace"],
  ])("refuses a workspace that %s", async (_, id, said) => {
    const nobody = { workspace: { ...ours.workspace, id } };
    await expect(run("list", nobody)).rejects.toThrow(said);
    await expect(run("replay", nobody, "--since", SINCE, "--start")).rejects.toThrow(said);
  });
});

async function replays(): Promise<readonly unknown[]> {
  return product.database.sql`select id from inbox_replays order by id`;
}

async function listed(of: TestWorkspace, ...options: readonly string[]) {
  const lines = (await run("list", of, ...options)).split("\n").filter((line) => line !== "");
  return lines.map((line): { id: string; sourceId: string; receivedAt: string } => JSON.parse(line));
}

/** A command in this process. @returns what it printed */
async function run(verb: string, of: Pick<TestWorkspace, "workspace">, ...options: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const bound = bindCommands({
    env: product.env,
    cwd: product.env["PATCHBAY_DATA_DIR"] ?? "",
    print: (line) => lines.push(line),
  });
  const program = createProgram(bound);
  const said: string[] = [];
  const inbox = program.commands.find((command) => command.name() === "inbox");
  for (const command of [program, inbox, ...(inbox?.commands ?? [])]) {
    command?.exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
  }
  try {
    await program.parseAsync(["inbox", verb, "--workspace", of.workspace.id, ...options], { from: "user" });
  } catch (error) {
    throw said.length === 0 ? error : new Error(said.join(""), { cause: error });
  }
  return lines.join("\n");
}
