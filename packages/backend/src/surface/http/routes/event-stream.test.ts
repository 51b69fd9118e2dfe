import type { ApiKeyId, WorkspaceId } from "@patchbay/shared";
import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import type { ApiCaller } from "../../../domain/workspaces/index.ts";
import { silentLogger, type Logger } from "../../../platform/observability/index.ts";
import type { HttpEnv } from "../env.ts";
import { answerProblem } from "../problem.ts";
import { eventStreamRoutes } from "./event-stream.ts";

type Feed = Parameters<typeof eventStreamRoutes>[0]["delivery"]["feed"];
type Asked = Parameters<Feed["followEvents"]>[0];
type Followed = Awaited<ReturnType<Feed["followEvents"]>>;

const CALLER: ApiCaller = {
  workspaceId: "00000000-0000-7000-8000-000000000001" as WorkspaceId,
  mode: "test",
  keyId: "00000000-0000-7000-8000-000000000002" as ApiKeyId,
  scopes: ["events:read"],
  allowedNetworks: [],
  expiresAt: null,
};
const event = (id: string) => ({ cursor: `cursor-${id}`, event: { id, type: "order.created" } as never });
const pause = { cursor: "cursor-pause", event: null };

/** The route before a feed that gives what `followed` says. */
function anApp(
  followed: (asked: Asked) => Followed,
  authenticate: () => Promise<ApiCaller | null> = async () => CALLER,
  log: Logger = silentLogger,
  clock = { now: () => new Date() },
) {
  const stopping = new AbortController();
  const app = new Hono<HttpEnv>();
  const feed = { followEvents: async (asked: Asked) => followed(asked) } as Feed;
  const [route] = eventStreamRoutes({ delivery: { feed }, authenticate, clock, stopping: stopping.signal });
  app.onError((error, c) => answerProblem(error, c));
  route?.mount(app, [
    async (c, next) => {
      c.set("caller", CALLER);
      c.set("log", log);
      await next();
    },
  ]);
  const ask = async (query = "", headers: Record<string, string> = {}): Promise<Response> =>
    app.request(`/v1/events/stream${query}`, { headers: { authorization: "Bearer pb_test_key", ...headers } });
  return { ask, stopping };
}

/** Waits at the end of the feed until it is told to stop. */
async function* endless({ signal }: Asked): Followed {
  yield event("evt_1");
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

describe("the event stream", () => {
  test("gives each event with its cursor and type, and a cursor in pauses", async () => {
    const { ask } = anApp(async function* () {
      yield event("evt_1");
      yield pause;
    });
    const response = await ask();
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(await response.text()).toBe(
      ': patchbay\n\nid: cursor-evt_1\nevent: order.created\ndata: {"id":"evt_1","type":"order.created"}\n\nid: cursor-pause\n\n',
    );
  });

  test("Last-Event-ID takes the place of after", async () => {
    const asked: Asked[] = [];
    const { ask } = anApp(async function* (input) {
      asked.push(input);
      yield pause;
    });
    await (await ask("?after=a&type=order.created", { "last-event-id": "b" })).text();
    await (await ask("?after=a")).text();
    expect(asked.map(({ after, type, from }) => ({ after, type, from }))).toEqual([
      { after: "b", type: "order.created", from: "latest" },
      { after: "a", type: undefined, from: "latest" },
    ]);
  });

  test("ends in the next pause after its key was revoked", async () => {
    let valid = true;
    const { ask } = anApp(
      async function* () {
        yield pause;
        valid = false;
        yield pause;
        yield event("evt_after");
      },
      async () => (valid ? CALLER : null),
    );
    expect(await (await ask()).text()).not.toContain("evt_after");
  });

  test("ends within ten seconds of events without a pause after its key was revoked", async () => {
    let nowMs = 0;
    const { ask } = anApp(
      async function* () {
        for (let second = 0; second < 30; second++) {
          nowMs = second * 1_000;
          yield event(`evt_${second}`);
        }
      },
      async () => null,
      silentLogger,
      { now: () => new Date(nowMs) },
    );
    const text = await (await ask()).text();
    expect(text).toContain("evt_9\n");
    expect(text).not.toContain("evt_10\n");
  });

  test("ends when the process stops, and when its time is over", async () => {
    const first = anApp(endless);
    const open = await first.ask();
    first.stopping.abort();
    expect(await open.text()).toContain("evt_1");
    expect(await (await anApp(endless).ask("?seconds=1")).text()).toContain("evt_1");
  });

  test("tells the feed when the reader has gone, and frees its place", async () => {
    const signals: AbortSignal[] = [];
    const { ask } = anApp((asked) => {
      signals.push(asked.signal);
      return endless(asked);
    });
    const open = await Promise.all(Array.from({ length: 50 }, () => ask()));
    expect((await ask()).status).toBe(429);
    await open[0]?.body?.cancel();
    expect(signals[0]?.aborted).toBe(true);
    expect((await ask()).status).toBe(200);
  });

  test("a reader that goes in the middle of a wait is no error", async () => {
    const lines: string[] = [];
    const [waits, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { ask } = anApp(
      async function* ({ signal }) {
        yield event("evt_1");
        waits.resolve();
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        ended.resolve();
      },
      async () => CALLER,
      { ...silentLogger, error: (_, message) => lines.push(message) },
    );
    const reader = (await ask()).body?.getReader();
    await reader?.read();
    await reader?.read();
    await waits.promise;
    await reader?.cancel();
    await ended.promise;
    // What the end of the feed sets off has run.
    await new Promise(setImmediate);
    expect(lines).toEqual([]);
  });

  test("breaks off when the feed fails, so that a part is not taken for the whole", async () => {
    const { ask } = anApp(async function* () {
      yield event("evt_1");
      throw new Error("the database is gone");
    });
    await expect((await ask()).text()).rejects.toThrow("stream broken off");
  });
});
