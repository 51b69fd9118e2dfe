import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, test } from "vitest";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { runListen } from "./listen.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

describe("runListen", () => {
  test("starts behind the newest event and brings what comes, signed", async () => {
    const feed = await aFeed([["old"]]);
    const handler = await aHandler([200]);
    const { printed, end } = listen(feed.url, handler.url);
    await waitFor(() => feed.polls.length > 0);
    feed.events.push({ id: "evt_new", type: "order.created", tenantId: "acme", data: { note: "café" } });
    const [request] = await waitFor(() => (handler.requests.length > 0 ? handler.requests : null));
    const headers = Object.fromEntries(Object.entries(request?.headers ?? {}).map(([k, v]) => [k, String(v)]));
    expect(new Webhook(SECRET).verify(request?.body ?? "", headers)).toEqual(feed.events.at(-1));
    await waitFor(() => printed.some((line) => /order\.created +acme +200 in \d+ ms$/.test(line)));
    await end();
    expect(handler.requests).toHaveLength(1);
    expect(feed.polls[0]).toBe("?from=latest");
  });

  test("prints a secret of its own, with which its events verify", async () => {
    const feed = await aFeed([["evt_1"]]);
    const handler = await aHandler([200]);
    const { printed, end } = listen(feed.url, handler.url, { secret: undefined, after: "0" });
    const [request] = await waitFor(() => (handler.requests.length > 0 ? handler.requests : null));
    const secret = /whsec_\S+/.exec(printed.join("\n"))?.[0] ?? "";
    const headers = Object.fromEntries(Object.entries(request?.headers ?? {}).map(([k, v]) => [k, String(v)]));
    expect(new Webhook(secret).verify(request?.body ?? "", headers)).toMatchObject({ id: "evt_1" });
    await end();
  });

  test("goes through pages in order from a cursor, and tries a refused event again", async () => {
    const feed = await aFeed([["evt_1", "evt_2"], ["evt_3"]]);
    const handler = await aHandler([500, 200]);
    const { printed, end } = listen(feed.url, handler.url, { after: "0" });
    await waitFor(() => handler.requests.length === 4);
    await end();
    expect(handler.requests.map(({ body }) => (JSON.parse(body) as { id: string }).id)).toEqual([
      "evt_1",
      "evt_1",
      "evt_2",
      "evt_3",
    ]);
    expect(printed.join("\n")).toMatch(/500 in \d+ ms, again in 0\.5 s/);
  });

  test("follows no redirect of the handler", async () => {
    const feed = await aFeed([["evt_1"]]);
    const handler = await aHandler([302, 200]);
    const { printed, end } = listen(feed.url, handler.url, { after: "0" });
    await waitFor(() => printed.some((line) => line.includes("200 in")));
    await end();
    expect(printed.join("\n")).toMatch(/302 in \d+ ms, again/);
  });

  test("says what Patchbay refused, and ends", async () => {
    const feed = await aFeed([], { status: 401, detail: "this API key is unknown" });
    await expect(listen(feed.url, "http://127.0.0.1:9/").ended).rejects.toThrow("this API key is unknown");
  });

  test("waits for Patchbay to come back", async () => {
    const feed = await aFeed([["evt_1"]], { status: 503, detail: "starting", times: 1 });
    const handler = await aHandler([200]);
    const { printed, end } = listen(feed.url, handler.url, { after: "0" });
    await waitFor(() => handler.requests.length === 1);
    await end();
    expect(printed).toContain("Patchbay answers again.");
  });

  test.each([
    [{ forwardUrl: "localhost:3000" }, "--forward"],
    [{ secret: "whsec_" }, "--secret"],
    [{ baseUrl: "nowhere" }, "--url"],
  ])("refuses %o", async (given, option) => {
    await expect(listen("http://127.0.0.1:9", "http://127.0.0.1:9", given).ended).rejects.toThrow(option);
  });
});

type Given = Partial<Parameters<typeof runListen>[0]>;

function listen(baseUrl: string, forwardUrl: string, given: Given = {}) {
  const stop = new AbortController();
  const printed: string[] = [];
  const print = (line: string) => void printed.push(line);
  const ended = runListen({
    baseUrl,
    forwardUrl,
    apiKey: "pb_test_key",
    secret: SECRET,
    print,
    signal: stop.signal,
    ...given,
  });
  const end = async () => {
    stop.abort();
    await ended;
  };
  return { printed, ended, end };
}

/** A Patchbay that has only a feed; a cursor is the index of the next event. */
async function aFeed(
  pages: readonly (readonly string[])[],
  refusal?: { readonly status: number; readonly detail: string; readonly times?: number },
) {
  const events: Record<string, unknown>[] = pages
    .flat()
    .map((id) => ({ id, type: "run.completed", tenantId: null, data: {} }));
  const polls: string[] = [];
  const pageSize = pages[0]?.length ?? 1;
  const url = await serve((request, response) => {
    const { search, searchParams } = new URL(request.url ?? "/", "http://feed");
    polls.push(search);
    response.setHeader("content-type", "application/json");
    if (refusal !== undefined && polls.length <= (refusal.times ?? Infinity)) {
      response.writeHead(refusal.status).end(JSON.stringify({ detail: refusal.detail }));
      return;
    }
    const from = searchParams.get("after") === null ? events.length : Number(searchParams.get("after"));
    const data = events.slice(from, from + pageSize);
    const next = from + data.length;
    response.end(JSON.stringify({ data, hasMore: next < events.length, nextCursor: String(next) }));
  });
  return { url, events, polls };
}

async function aHandler(statuses: readonly number[]) {
  const requests: { headers: IncomingMessage["headers"]; body: string }[] = [];
  const url = await serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      const status = statuses[Math.min(requests.length, statuses.length) - 1] ?? 200;
      response.writeHead(status, { location: "/elsewhere" }).end("ok");
    });
  });
  return { url: `${url}/webhooks`, requests };
}

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return `http://127.0.0.1:${address.port}`;
}
