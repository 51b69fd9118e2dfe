import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { freePort } from "../../../../../test/harness/free-port.ts";
import { startTcpProxy, type TcpProxy } from "../../../../../test/harness/tcp-proxy.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { connect } from "./database.ts";
import { createListener, type Listener } from "./listen.ts";

const FAST = { checkEveryMs: 50, answerMsMax: 1_000, againAfterMs: 20 };

let fixture: TestDatabase;
let wire: TcpProxy;
let listener: Listener;
let port: number;
let opened: number;
let told: string[];

beforeAll(async () => {
  fixture = await createTestDatabase();
  const { host } = fixture.connection;
  wire = await startTcpProxy({ path: `${host}/.s.PGSQL.${fixture.connection.port}` });
});
afterAll(async () => {
  await wire.close();
  await fixture.drop();
});
beforeEach(() => {
  [port, opened, told] = [wire.port, 0, []];
  listener = createListener((hooks) => {
    opened += 1;
    return connect({ ...fixture.connection, host: "127.0.0.1", port }, 1, { hooks });
  }, FAST);
});
afterEach(async () => {
  wire.pass();
  await listener.close();
});

describe("whoever listens", () => {
  test("hears what is told on its channels, all over one connection, and that it began to hear", async () => {
    await follow("one");
    await follow("two");
    await tell("one", "a");
    await tell("two", "b");
    await waitFor(() => told.length === 4);
    expect(told).toEqual(["one: hearing", "two: hearing", "one: a", "two: b"]);
    expect(opened).toBe(1);
  });

  test("hears again after its connection was ended, and is told that it had not", async () => {
    await follow("ended");
    await fixture.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where query like '%as listening%' and pid <> pg_backend_pid() and datname = current_database()`;
    await heardAgain("ended");
  });

  test("hears again after a silence that nobody was told of", async () => {
    await follow("stranded");
    wire.strand();
    await heardAgain("stranded");
  });

  test("hears again however long the database could not be reached", async () => {
    await follow("away");
    port = await freePort();
    wire.reset();
    await waitFor(() => opened > 5, { what: "some tries" });
    port = wire.port;
    await heardAgain("away");
  });

  test("starts where nothing can be heard, and hears as soon as it can", async () => {
    port = await freePort();
    await follow("later");
    expect(told).toEqual(["later: deaf"]);
    port = wire.port;
    await waitFor(() => told.includes("later: hearing"));
  });

  test("hears no more once closed, while others go on", async () => {
    const first = await follow("shared");
    await follow("shared");
    await first.close();
    await tell("shared", "x");
    await waitFor(() => told.includes("shared: x"));
    expect(told.filter((line) => line === "shared: x")).toHaveLength(1);
  });
});

function follow(channel: string) {
  return listener.listen(channel, {
    onWake: (payload) => void told.push(`${channel}: ${payload}`),
    onHearing: () => void told.push(`${channel}: hearing`),
    onDeaf: () => void told.push(`${channel}: deaf`),
  });
}

async function tell(channel: string, payload: string): Promise<void> {
  await fixture.sql`select pg_notify(${channel}, ${payload})`;
}

async function heardAgain(channel: string): Promise<void> {
  await waitFor(() => told.length >= 3, { what: "it to hear again" });
  expect(told).toEqual([`${channel}: hearing`, `${channel}: deaf`, `${channel}: hearing`]);
  await tell(channel, "news");
  await waitFor(() => told.includes(`${channel}: news`));
}
