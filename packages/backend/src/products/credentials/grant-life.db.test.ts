import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { shopify } from "../../connectors/shopify/index.ts";
import type { Access, GrantTarget } from "./deps.ts";
import { REFRESH_TIMINGS } from "./refresh-timings.ts";
import { createGrantKit } from "./testing/grant-kit.ts";
import { pair, startTokenServer, type TokenServer } from "./testing/token-server.ts";
import { grantKeySpec, tokensPlace } from "./token-pair.ts";
import { withOAuth2 } from "./testing/with-oauth2.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SINGLE_USE = withOAuth2(shopify, { refresh: { kind: "rotating", oldTokenWorks: "never", idleDays: 90 } });

let server: TokenServer;
let kit: Awaited<ReturnType<typeof createGrantKit>>;

beforeAll(async () => {
  server = await startTokenServer();
  kit = await createGrantKit(server.origin);
});
afterAll(async () => {
  await kit[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.requests.length = 0;
  kit.dead.length = 0;
  kit.revived.length = 0;
  server.answer((_, count) => pair(count));
});

describe("processes whose clocks are five minutes off", () => {
  const OFF_MS = 5 * 60_000;

  test("O10: refresh each expiry once, whoever asks first", async () => {
    const target = await kit.aGrant();
    const ahead = (await kit.aProcess({ clockOffsetMs: OFF_MS })).credentials;
    const behind = (await kit.aProcess({ clockOffsetMs: -OFF_MS })).credentials;
    for (let expiry = 1; expiry <= 5; expiry++) {
      await kit.passes(target, 2 * HOUR_MS);
      const asked = [ahead, behind, behind, ahead].map((credentials) => credentials.accessToken(target));
      expect(new Set((await Promise.all(asked)).map(tokenOf))).toEqual(new Set([`access_${expiry}`]));
      // The new token is young to both.
      for (const credentials of [ahead, behind]) {
        expect(tokenOf(await credentials.accessToken(target))).toBe(`access_${expiry}`);
        await credentials.settled();
      }
      expect(server.requests).toHaveLength(expiry);
    }
  });

  test("O10: neither serve an expired token nor wait for a lease longer than it lasts", async () => {
    const target = await kit.aGrant();
    const behind = (await kit.aProcess({ clockOffsetMs: -OFF_MS })).credentials;
    await kit.passes(target, HOUR_MS);
    await kit.sql`update grants set state = 'refreshing', lease_until = now() - interval '1 second'
      where id = ${target.grantId}`;
    expect(tokenOf(await behind.accessToken(target))).toBe("access_1");
  });

  test("O10: store an hour of life as an hour, whatever they take the time to be", async () => {
    for (const clockOffsetMs of [OFF_MS, -OFF_MS]) {
      const target = await kit.aGrant();
      await kit.passes(target, 2 * HOUR_MS);
      await (await kit.aProcess({ clockOffsetMs })).credentials.accessToken(target);
      const [row] = await kit.sql`select extract(epoch from access_expires_at - now())::int as seconds
        from grants where id = ${target.grantId}`;
      expect(Math.abs(Number(row?.["seconds"]) - 3600)).toBeLessThan(60);
    }
  });
});

describe("waiting for another process", () => {
  test("ends with the notification of its commit", async () => {
    const target = await expired();
    const release = Promise.withResolvers<void>();
    server.answer(async (_, count) => {
      await release.promise;
      return pair(count);
    });
    const never = { ...REFRESH_TIMINGS, pollMs: 60_000 };
    const [first, second] = [await kit.aProcess(), await kit.aProcess({ timings: never })];
    const asked = first.credentials.accessToken(target);
    await waitFor(() => server.requests.length === 1);
    const waiting = second.credentials.accessToken(target);
    release.resolve();
    expect(tokenOf(await asked)).toBe("access_1");
    expect(tokenOf(await waiting)).toBe("access_1");
  });

  test("ends soon where no notification comes through", async () => {
    const target = await expired();
    const processes = await Promise.all([1, 2, 3].map(() => kit.aProcess({ notified: false })));
    const given = await Promise.all(processes.map(({ credentials }) => credentials.accessToken(target)));
    expect(new Set(given.map(tokenOf))).toEqual(new Set(["access_1"]));
    expect(server.requests).toHaveLength(1);
  });
});

describe("a token endpoint", () => {
  test("that asks for a pause gets one, from every grant of the app", async () => {
    const target = await expired();
    server.answer(() => ({ status: 429, body: "{}", headers: { "retry-after": "30" } }));
    const { credentials } = await kit.aProcess({ timings: { ...REFRESH_TIMINGS, waitMs: 500 } });
    expect(await credentials.accessToken(target)).toEqual({ problem: "unavailable" });
    expect(await credentials.accessToken(target)).toEqual({ problem: "unavailable" });
    expect(server.requests).toHaveLength(1);
    await kit.passes(target, 31_000);
    server.answer(() => pair(7));
    expect(tokenOf(await credentials.accessToken(target))).toBe("access_7");
  });

  test("that is down burns the tokens of a few grants that work once, not of all", async () => {
    const targets = [await kit.aGrant()];
    while (targets.length < 12) targets.push(await kit.aGrant({ beside: targets[0] }));
    for (const target of targets) await kit.passes(target, 2 * HOUR_MS);
    server.answer(() => "drop");
    const { credentials } = await kit.aProcess({
      connector: SINGLE_USE,
      timings: { ...REFRESH_TIMINGS, waitMs: 300 },
    });
    for (const target of targets) await credentials.accessToken(target);
    expect(server.requests).toHaveLength(5);
    const states = await Promise.all(targets.map(async (target) => (await kit.rowOf(target))["state"]));
    expect(states.filter((state) => state === "dead")).toHaveLength(5);
    expect(states.filter((state) => state === "active")).toHaveLength(7);
  });
});

describe("an idle grant", () => {
  test("is refreshed when two thirds of its refresh token's life are over, and then not again", async () => {
    const target = await kit.aGrant();
    const { credentials } = await kit.aProcess();
    await credentials.keepGrantsAlive(target.workspaceId);
    await kit.passes(target, 59 * DAY_MS);
    await credentials.keepGrantsAlive(target.workspaceId);
    expect(server.requests).toHaveLength(0);
    await kit.passes(target, 2 * DAY_MS);
    await credentials.keepGrantsAlive(target.workspaceId);
    await credentials.keepGrantsAlive(target.workspaceId);
    expect(server.requests).toHaveLength(1);
  });

  test("has an instant of its own for it, so that grants of one day are spread over days", async () => {
    let chance = 0;
    const { credentials } = await kit.aProcess({ random: () => (chance += 0.05) });
    const instants = new Set<string>();
    for (let grant = 0; grant < 10; grant++) {
      const target = await kit.aGrant();
      await kit.passes(target, 2 * HOUR_MS);
      await credentials.accessToken(target);
      const day = (await kit.rowOf(target))["keep_alive_at"].toISOString().slice(0, 10);
      instants.add(day);
    }
    expect(instants.size).toBeGreaterThan(5);
  });
});

describe("a death", () => {
  test("that was told is taken back when the lost pair comes after all", async () => {
    const target = await expired();
    const release = Promise.withResolvers<void>();
    server.answer(async () => {
      await release.promise;
      return pair(1);
    });
    const slow = await kit.aProcess({ connector: SINGLE_USE });
    const quick = await kit.aProcess({ connector: SINGLE_USE });
    const late = slow.credentials.accessToken(target);
    await waitFor(() => server.requests.length === 1);
    await kit.passes(target, 120_000);
    await quick.credentials.accessToken(target);
    await kit.passes(target, 60_000);
    expect(await quick.credentials.accessToken(target)).toEqual({ problem: "reauthorize" });
    expect(kit.dead).toMatchObject([target]);
    await kit.sql`update grants set death_told_at = now() where id = ${target.grantId}`;
    release.resolve();
    expect(tokenOf(await late)).toBe("access_1");
    expect(kit.revived).toEqual([target]);
    expect(tokenOf(await quick.credentials.accessToken(target))).toBe("access_1");
    expect(server.requests).toHaveLength(1);
  });

  test("and a return to life that nobody told are found by the sweep", async () => {
    const target = await kit.aGrant();
    const { credentials } = await kit.aProcess();
    await kit.sql`update grants set state = 'dead', dead_since = now() - interval '1 minute'
      where id = ${target.grantId}`;
    await credentials.tellFates(target.workspaceId);
    expect(kit.dead).toMatchObject([target]);
    await kit.sql`update grants set state = 'active', dead_since = null, death_told_at = now()
      where id = ${target.grantId}`;
    await credentials.tellFates(target.workspaceId);
    expect(kit.revived).toEqual([target]);
  });
});

test("a grant sealed before there were methods is opened, refreshed, and sealed as they are now", async () => {
  const target = await kit.aGrant();
  const { workspaceId, grantId } = target;
  const { credentials, vault } = await kit.aProcess();
  const { access_expires_at: endsAt } = await kit.rowOf(target);
  const old = {
    accessToken: "access_old",
    refreshToken: "refresh_old",
    accessExpiresAt: endsAt.toISOString(),
    refreshExpiresAt: null,
  };
  const sealer = await vault.sealer(grantKeySpec(workspaceId, grantId));
  const sealed = sealer.seal(tokensPlace(grantId, 1), Buffer.from(JSON.stringify(old)));
  await kit.sql`update grants set tokens = ${sealed} where id = ${grantId}`;
  expect(tokenOf(await credentials.accessToken(target))).toBe("access_old");
  await kit.passes(target, 2 * HOUR_MS);
  expect(tokenOf(await credentials.accessToken(target))).toBe("access_1");
  expect(server.requests.map(({ form }) => form.get("refresh_token"))).toEqual(["refresh_old"]);
  const { tokens } = await kit.rowOf(target);
  const opened = await vault.open(workspaceId, tokensPlace(grantId, 2), tokens);
  expect(JSON.parse(Buffer.from(opened).toString())).toMatchObject({ kind: "tokens", accessToken: "access_1" });
});

async function expired(): Promise<GrantTarget> {
  const target = await kit.aGrant();
  await kit.passes(target, 2 * HOUR_MS);
  return target;
}

function tokenOf(access: Access | undefined): string {
  return access !== undefined && "token" in access ? access.token.reveal() : JSON.stringify(access);
}
