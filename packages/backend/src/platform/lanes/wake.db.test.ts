import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { openDatabase, type Database } from "../db/index.ts";
import { silentLogger } from "../observability/index.ts";
import { createWake, type Wake, type WakeTopic } from "./wake.ts";

let testDatabase: TestDatabase;
let database: Database;
let notified: string[];
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase(testDatabase.connection, 4);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(() => void (notified = []));

const BEAT_MS = 50;
/** Longer than a test takes. */
const RARE_BEAT_MS = 60_000;

describe("wakes of two processes", () => {
  test("hear each other, each hint with what it is about", async () => {
    await using pair = await aPair();
    const heard = collect(pair.second);
    pair.first.poke("events");
    pair.first.poke("feed", "one");
    pair.first.poke("feed", "two");
    await waitFor(() => heard.length >= 3, { what: "the hints" });
    expect(heard.toSorted()).toEqual(["events ", "feed one", "feed two"]);
  });

  test("are told at once, and of all that comes within 20 ms of it together", async () => {
    await using pair = await aPair();
    const heard = collect(pair.second);
    for (let n = 0; n < 40; n++) pair.first.poke("feed", `workspace-${n}`);
    await waitFor(() => heard.length === 40, { what: "all hints" });
    const hints = notified.filter((payload) => !payload.startsWith("beat"));
    expect(hints.length).toBeLessThanOrEqual(2);
  });

  test("are heard by a third as soon as it is there, though they know each other already", async () => {
    await using pair = await aPair(RARE_BEAT_MS);
    const third = await aWake(RARE_BEAT_MS);
    const heard = collect(pair.second);
    await waitFor(
      () => {
        third.poke("arrivals");
        return heard.includes("arrivals ");
      },
      { what: "a hint of the third, long before the next beat", timeoutMs: RARE_BEAT_MS / 2 },
    );
    await third.close();
  });

  test("do not hear their own hints again", async () => {
    await using pair = await aPair();
    const [own, others] = [collect(pair.first), collect(pair.second)];
    pair.first.poke("events");
    await waitFor(() => others.length === 1, { what: "the hint" });
    // The answer is notified later on the same channel.
    pair.second.poke("arrivals");
    await waitFor(() => own.includes("arrivals "), { what: "the answer" });
    expect(own).toEqual(["events ", "arrivals "]);
  });

  test("are told of everything where the names of all would be too long", async () => {
    await using pair = await aPair();
    const heard = collect(pair.second);
    for (let n = 0; n < 400; n++) pair.first.poke("feed", `${"x".repeat(36)}-${n}`);
    await waitFor(() => heard.length > 0, { what: "a hint" });
    expect(heard).toEqual(["feed "]);
  });

  test("listen again after their connections were ended, and know meanwhile that they are deaf", async () => {
    await using pair = await aPair();
    const heard = collect(pair.second);
    await testDatabase.sql`select pg_terminate_backend(pid) from pg_stat_activity where query like '%as listening%' and pid <> pg_backend_pid() and datname = current_database()`;
    await waitFor(() => heard.length > 0, { what: "the hint that all may have changed" });
    await waitFor(() => pair.first.hearing() && pair.second.hearing(), { what: "both to hear" });
    heard.length = 0;
    await waitFor(
      () => {
        pair.first.poke("arrivals");
        return heard.includes("arrivals ");
      },
      { what: "a hint over the new connection" },
    );
  });
});

test("a process alone sends nothing but its beats", async () => {
  const wake = await aWake();
  await waitFor(() => wake.hearing(), { what: "its own beat" });
  for (let n = 0; n < 10; n++) wake.poke("events");
  await waitFor(() => notified.length >= 3, { what: "some beats" });
  expect(notified.every((payload) => payload.startsWith("beat "))).toBe(true);
  await wake.close();
});

test("a process whose notifications go nowhere knows that it is deaf", async () => {
  const wake = await createWake({
    log: silentLogger,
    database: { listen: async () => ({ close: async () => {} }), notify: async () => {} },
    beatEveryMs: BEAT_MS,
  });
  expect(wake.hearing()).toBe(false);
  await wake.close();
});

function aWake(beatEveryMs = BEAT_MS): Promise<Wake> {
  const spied = {
    listen: (...args: Parameters<Database["listen"]>) => database.listen(...args),
    notify: (channel: string, payload: string) => {
      notified.push(payload);
      return database.notify(channel, payload);
    },
  };
  return createWake({ log: silentLogger, database: spied, beatEveryMs });
}

/** Two that know of each other. */
async function aPair(beatEveryMs?: number) {
  const [first, second] = [await aWake(beatEveryMs), await aWake(beatEveryMs)];
  const met = collect(second, ["lanes:erasure"]);
  await waitFor(
    () => {
      first.poke("lanes:erasure");
      return met.length > 0;
    },
    { what: "them to meet" },
  );
  notified = [];
  return {
    first,
    second,
    [Symbol.asyncDispose]: async () => {
      await first.close();
      await second.close();
    },
  };
}

/** What a wake hears from now on of some topics; `lanes:erasure` is what pairs greet each other with. */
function collect(wake: Wake, topics: readonly WakeTopic[] = ["arrivals", "events", "feed"]): string[] {
  const heard: string[] = [];
  for (const topic of topics) wake.on(topic, (about) => void heard.push(`${topic} ${about}`));
  return heard;
}
