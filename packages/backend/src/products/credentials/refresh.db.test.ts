import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { shopify } from "../../connectors/shopify/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import type { Access, GrantTarget } from "./deps.ts";
import { createGrantKit } from "./testing/grant-kit.ts";
import { withOAuth2 } from "./testing/with-oauth2.ts";
import { REFUSED, pair, startTokenServer, type TokenServer } from "./testing/token-server.ts";

const EARLY_MS = 50 * 60_000;
const EXPIRED_MS = 61 * 60_000;
const PROVISIONAL_MS = 60_000;

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
  server.answer((_, count) => pair(count));
});

describe("an access token", () => {
  test("is given without a request while it is young", async () => {
    const target = await kit.aGrant();
    expect(tokenOf(await (await kit.aProcess()).credentials.accessToken(target))).toBe("access_0");
    expect(server.requests).toHaveLength(0);
  });

  test("is refreshed early while callers go on with the old one", async () => {
    const target = await kit.aGrant();
    await kit.passes(target, EARLY_MS);
    const { credentials } = await kit.aProcess();
    expect(tokenOf(await credentials.accessToken(target))).toBe("access_0");
    await credentials.settled();
    expect(tokenOf(await credentials.accessToken(target))).toBe("access_1");
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.form.get("refresh_token")).toBe("refresh_0");
  });

  test("is refreshed once for 200 callers of one process", async () => {
    const target = await kit.aGrant();
    await kit.passes(target, EXPIRED_MS);
    const { credentials } = await kit.aProcess();
    const given = await Promise.all(Array.from({ length: 200 }, () => credentials.accessToken(target)));
    expect(new Set(given.map(tokenOf))).toEqual(new Set(["access_1"]));
    expect(server.requests).toHaveLength(1);
  });

  test("is refreshed once for 150 callers of three processes", async () => {
    const target = await kit.aGrant();
    await kit.passes(target, EXPIRED_MS);
    const processes = [await kit.aProcess(), await kit.aProcess(), await kit.aProcess()];
    const given = await Promise.all(
      processes.flatMap(({ credentials }) => Array.from({ length: 50 }, () => credentials.accessToken(target))),
    );
    expect(new Set(given.map(tokenOf))).toEqual(new Set(["access_1"]));
    expect(server.requests).toHaveLength(1);
  });

  test("does not stand in clear in the database", async () => {
    const target = await kit.aGrant();
    const [dump] = await kit.sql`select row_to_json(grants)::text as text, encode(tokens, 'escape') as bytes
      from grants where id = ${target.grantId}`;
    expect(`${dump?.["text"]}${dump?.["bytes"]}`).not.toContain("access_0");
  });
});

describe("after a 401", () => {
  test("a new token is fetched once, for all who saw the old one", async () => {
    const target = await kit.aGrant();
    const processes = [await kit.aProcess(), await kit.aProcess()];
    const given = await Promise.all(
      processes.flatMap(({ credentials }) => Array.from({ length: 20 }, () => credentials.refreshAfter401(target, 1))),
    );
    expect(new Set(given.map(tokenOf))).toEqual(new Set(["access_1"]));
    expect(server.requests).toHaveLength(1);
  });

  test("who comes late gets what others have fetched", async () => {
    const target = await kit.aGrant();
    await (await kit.aProcess()).credentials.refreshAfter401(target, 1);
    expect(tokenOf(await (await kit.aProcess()).credentials.refreshAfter401(target, 1))).toBe("access_1");
    expect(server.requests).toHaveLength(1);
  });

  test("a token that nothing can refresh is dead at once, and the host is told", async () => {
    const target = await kit.aGrant({ refreshToken: null });
    const { credentials } = await kit.aProcess();
    expect(await credentials.refreshAfter401(target, 1)).toEqual({ problem: "reauthorize" });
    expect(kit.dead).toMatchObject([target]);
    expect(await credentials.accessToken(target)).toEqual({ problem: "reauthorize" });
    expect(server.requests).toHaveLength(0);
  });
});

describe("a lost answer", () => {
  test("is asked for again with the same token where the provider allows it", async () => {
    const target = await expiredGrant();
    server.answer((_, count) => (count === 1 ? "drop" : pair(count)));
    expect(tokenOf(await (await kit.aProcess()).credentials.accessToken(target))).toBe("access_2");
    expect(server.requests.map((request) => request.form.get("refresh_token"))).toEqual(["refresh_0", "refresh_0"]);
  });

  test("is never asked for again where a token works once: a minute later the host is told", async () => {
    const target = await expiredGrant();
    server.answer(() => "drop");
    const { credentials } = await kit.aProcess({ connector: SINGLE_USE });
    expect(await credentials.accessToken(target)).toEqual({ problem: "unavailable" });
    expect((await kit.rowOf(target))["state"]).toBe("dead");
    expect(kit.dead).toEqual([]);
    await kit.passes(target, PROVISIONAL_MS);
    expect(await credentials.accessToken(target)).toEqual({ problem: "reauthorize" });
    expect(kit.dead).toMatchObject([target]);
    expect(server.requests).toHaveLength(1);
  });

  test("leaves the connection alone while the provider is down", async () => {
    const target = await expiredGrant();
    server.answer(() => ({ status: 500, body: "" }));
    const { credentials } = await kit.aProcess();
    expect(await credentials.accessToken(target)).toEqual({ problem: "unavailable" });
    // Nobody asks again before some time has passed.
    expect(await credentials.accessToken(target)).toEqual({ problem: "unavailable" });
    expect(server.requests).toHaveLength(2);
    await kit.passes(target, 11_000);
    server.answer(() => pair(9));
    expect(tokenOf(await credentials.accessToken(target))).toBe("access_9");
    expect(kit.dead).toEqual([]);
  });
});

describe("a refusal", () => {
  test("kills the grant after a minute and tells the host", async () => {
    const target = await expiredGrant();
    server.answer(() => REFUSED);
    const { credentials } = await kit.aProcess();
    expect(await credentials.accessToken(target)).toEqual({ problem: "unavailable" });
    expect(await credentials.accessToken(target)).toEqual({ problem: "unavailable" });
    expect(server.requests).toHaveLength(1);
    expect(kit.dead).toEqual([]);
    await kit.passes(target, PROVISIONAL_MS);
    expect(await credentials.accessToken(target)).toEqual({ problem: "reauthorize" });
    expect(kit.dead).toMatchObject([target]);
    expect(server.requests).toHaveLength(1);
  });

  test("of our own client secret kills nothing", async () => {
    const target = await expiredGrant();
    server.answer(() => ({ status: 401, body: JSON.stringify({ error: "invalid_client" }) }));
    expect(await (await kit.aProcess()).credentials.accessToken(target)).toEqual({ problem: "unavailable" });
    expect((await kit.rowOf(target))["state"]).toBe("active");
  });

  test("is told by the sweep when nobody asks for a token any more", async () => {
    const target = await expiredGrant();
    server.answer(() => REFUSED);
    const { credentials } = await kit.aProcess();
    await credentials.accessToken(target);
    await kit.passes(target, PROVISIONAL_MS);
    await credentials.tellFates(target.workspaceId);
    expect(kit.dead).toMatchObject([target]);
  });
});

describe("a grant whose fresh tokens the API does not take", () => {
  test("is dead at once, and one that has moved on is not", async () => {
    const target = await kit.aGrant();
    const { credentials } = await kit.aProcess();
    await credentials.condemn(target, 0);
    expect(tokenOf(await credentials.accessToken(target))).toBe("access_0");
    await credentials.condemn(target, 1);
    await credentials.condemn(target, 1);
    expect(kit.dead).toMatchObject([target]);
    expect(await credentials.accessToken(target)).toEqual({ problem: "reauthorize" });
  });
});

describe("a process that lost its lease", () => {
  test("does not write over the winner, and its pair is kept", async () => {
    const target = await expiredGrant();
    const release = Promise.withResolvers<void>();
    server.answer(async (_, count) => {
      if (count === 1) await release.promise;
      return pair(count);
    });
    const [slow, quick] = [await kit.aProcess(), await kit.aProcess()];
    const late = slow.credentials.accessToken(target);
    await waitFor(() => server.requests.length === 1);
    await expireLease(target);
    expect(tokenOf(await quick.credentials.accessToken(target))).toBe("access_2");
    release.resolve();
    expect(tokenOf(await late)).toBe("access_2");
    expect(await orphansOf(target)).toBe(1);
    expect((await kit.rowOf(target))["row_version"]).toBe(2);
  });

  test("saves a grant whose winner was refused", async () => {
    const target = await expiredGrant();
    const release = Promise.withResolvers<void>();
    server.answer(async (_, count) => {
      if (count > 1) return REFUSED;
      await release.promise;
      return pair(1);
    });
    const [slow, quick] = [
      await kit.aProcess({ connector: SINGLE_USE }),
      await kit.aProcess({ connector: SINGLE_USE }),
    ];
    const late = slow.credentials.accessToken(target);
    await waitFor(() => server.requests.length === 1);
    await expireLease(target);
    expect(await quick.credentials.accessToken(target)).toEqual({ problem: "unavailable" });
    expect((await kit.rowOf(target))["state"]).toBe("dead");
    release.resolve();
    expect(tokenOf(await late)).toBe("access_1");
    expect(tokenOf(await quick.credentials.accessToken(target))).toBe("access_1");
    expect(kit.dead).toEqual([]);
  });

  test("leaves an orphan that is tried when the current token is refused", async () => {
    const target = await expiredGrant();
    const release = Promise.withResolvers<void>();
    server.answer(async (_, count) => {
      if (count === 1) await release.promise;
      return pair(count);
    });
    const [slow, quick] = [await kit.aProcess(), await kit.aProcess()];
    const late = slow.credentials.accessToken(target);
    await waitFor(() => server.requests.length === 1);
    await expireLease(target);
    await quick.credentials.accessToken(target);
    release.resolve();
    await late;
    server.answer(({ form }) => (form.get("refresh_token") === "refresh_1" ? pair(7) : REFUSED));
    await kit.passes(target, EXPIRED_MS);
    expect(tokenOf(await quick.credentials.accessToken(target))).toBe("access_7");
    expect(await orphansOf(target)).toBe(0);
  });

  test("that died is taken over when its lease ends", async () => {
    const target = await expiredGrant();
    await kit.sql`update grants set state = 'refreshing', fence = fence + 1, lease_until = now() - interval '1 second'
      where id = ${target.grantId}`;
    expect(tokenOf(await (await kit.aProcess()).credentials.accessToken(target))).toBe("access_1");
  });

  test("a lease that still runs is waited for", async () => {
    const target = await expiredGrant();
    await kit.sql`update grants set state = 'refreshing', fence = fence + 1, lease_until = now() + interval '700 milliseconds'
      where id = ${target.grantId}`;
    expect(tokenOf(await (await kit.aProcess()).credentials.accessToken(target))).toBe("access_1");
    expect(server.requests).toHaveLength(1);
  });
});

describe("a new authorization of the account", () => {
  test("replaces the tokens at once, and fences off a refresh under way", async () => {
    const target = await expiredGrant();
    const release = Promise.withResolvers<void>();
    server.answer(async () => {
      await release.promise;
      return pair(1);
    });
    const { credentials } = await kit.aProcess();
    const late = credentials.accessToken(target);
    await waitFor(() => server.requests.length === 1);
    const row = await kit.rowOf(target);
    const stored = await (
      await kit.aProcess()
    ).credentials.storeGrant({
      workspaceId: target.workspaceId,
      provider: "shopify",
      providerAppId: row["provider_app_id"],
      accountId: row["account_id"],
      mode: "test",
      params: { shop: "acme.myshopify.com" },
      scopes: [],
      tokens: {
        accessToken: new Secret("access_new"),
        refreshToken: new Secret("refresh_new"),
        expiresInSeconds: 3600,
        refreshExpiresInSeconds: null,
        scopes: [],
      },
      issuedAt: new Date(),
    });
    expect(stored).toEqual({ grantId: target.grantId, isNew: false });
    release.resolve();
    expect(tokenOf(await late)).toBe("access_new");
    expect(tokenOf(await credentials.accessToken(target))).toBe("access_new");
    await kit.passes(target, EXPIRED_MS);
    await credentials.accessToken(target);
    expect(server.requests.map(({ form }) => form.get("refresh_token"))).toEqual(["refresh_0", "refresh_new"]);
  });
});

describe("a grant that ended", () => {
  test("opens no more, and its account's next authorization makes a new one", async () => {
    const target = await kit.aGrant();
    const { credentials } = await kit.aProcess();
    await credentials.accessToken(target);
    const row = await kit.rowOf(target);
    const log = await kit.audit.writer(target.workspaceId);
    await kit.withWorkspace(target.workspaceId, (tx) => credentials.endGrant(tx, log, target));
    expect(await credentials.accessToken(target)).toEqual({ problem: "reauthorize" });
    expect((await kit.rowOf(target))["tokens"]).toBeNull();
    const [key] = await kit.sql`select state from data_keys where scope = ${target.grantId}`;
    expect(key?.["state"]).toBe("destroyed");
    const next = await credentials.storeGrant({
      workspaceId: target.workspaceId,
      provider: "shopify",
      providerAppId: row["provider_app_id"],
      accountId: row["account_id"],
      mode: "test",
      params: {},
      scopes: [],
      tokens: {
        accessToken: new Secret("again"),
        refreshToken: null,
        expiresInSeconds: null,
        refreshExpiresInSeconds: null,
        scopes: [],
      },
      issuedAt: new Date(),
    });
    expect(next.isNew).toBe(true);
    expect(tokenOf(await credentials.accessToken({ ...target, grantId: next.grantId }))).toBe("again");
  });
});

test("an idle grant is refreshed before its refresh token ends", async () => {
  const target = await kit.aGrant();
  const { credentials } = await kit.aProcess();
  await credentials.keepGrantsAlive(target.workspaceId);
  expect(server.requests).toHaveLength(0);
  await kit.passes(target, 61 * 86_400_000);
  await credentials.keepGrantsAlive(target.workspaceId);
  expect(server.requests).toHaveLength(1);
});

async function expiredGrant(): Promise<GrantTarget> {
  const target = await kit.aGrant();
  await kit.passes(target, EXPIRED_MS);
  return target;
}

async function expireLease(target: GrantTarget): Promise<void> {
  await kit.sql`update grants set lease_until = now() - interval '1 second' where id = ${target.grantId}`;
}

async function orphansOf(target: GrantTarget): Promise<number> {
  return (await kit.sql`select 1 from orphan_token_pairs where grant_id = ${target.grantId}`).length;
}

function tokenOf(access: Access | undefined): string {
  return access !== undefined && "token" in access ? access.token.reveal() : JSON.stringify(access);
}
