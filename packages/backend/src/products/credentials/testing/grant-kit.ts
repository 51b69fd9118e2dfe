import { decodeId, type GrantId, type WorkspaceId } from "@patchbay/shared";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase } from "../../../../../../test/harness/database.ts";
import type { Connector } from "../../../connectors/kit/index.ts";
import { shopify } from "../../../connectors/shopify/index.ts";
import { createAudit } from "../../../domain/audit/index.ts";
import { createVault, openLocalKeys, type Vault } from "../../../domain/vault/index.ts";
import { createWorkspace, putProviderApp } from "../../../domain/workspaces/index.ts";
import { openDatabase } from "../../../platform/db/index.ts";
import { createEgress } from "../../../platform/egress/index.ts";
import { silentLogger } from "../../../platform/observability/index.ts";
import { Secret, systemClock, type Clock } from "../../../platform/runtime/index.ts";
import { createCredentials, type CreateCredentials, type Credentials } from "../credentials.ts";
import type { GrantDeath, GrantTarget } from "../deps.ts";
import { createGrantNews } from "../grant-news.ts";
import type { RefreshTimings } from "../refresh-timings.ts";

/** Of each process. */
const POOL_MAX = 4;

/** A database and what a test of grants needs around it. */
export async function createGrantKit(sandboxOrigin: string, options: { readonly timings?: RefreshTimings } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "patchbay-grants-"));
  const keyFile = join(folder, "keys");
  await writeFile(keyFile, `pbk1:1:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  const keys = await openLocalKeys(keyFile);
  const db = await createTestDatabase();
  const database = openDatabase(db.connection, 8);
  const egress = createEgress({ log: silentLogger });
  const { withWorkspace } = database.as("patchbay_app");
  const dead: GrantDeath[] = [];
  const revived: GrantTarget[] = [];
  const open: AsyncDisposable[] = [];

  /** As in a process of its own: nothing in memory is shared, nor are database connections. */
  async function aProcess(
    given: { readonly connector?: Connector; readonly clockOffsetMs?: number; readonly notified?: boolean } & Pick<
      Partial<CreateCredentials>,
      "timings" | "at" | "random" | "onGrantDead" | "onGrantRevived"
    > = {},
  ): Promise<{ readonly credentials: Credentials; readonly vault: Vault }> {
    const { connector = shopify, clockOffsetMs = 0, notified = true, ...deps } = given;
    const pool = openDatabase(db.connection, POOL_MAX);
    const clock: Clock = { now: () => new Date(Date.now() + clockOffsetMs) };
    const news = await createGrantNews({ database: notified ? pool : null, log: silentLogger });
    open.push({
      async [Symbol.asyncDispose]() {
        await news.close();
        await pool.close();
      },
    });
    const own = pool.as("patchbay_app");
    const vault = createVault({ withWorkspace: own.withWorkspace, keys, clock });
    const credentials = createCredentials({
      withWorkspace: own.withWorkspace,
      vault,
      audit: createAudit({ withWorkspace: own.withWorkspace, vault, clock }),
      connectors: { shopify: connector },
      egress,
      sandboxOrigins: [sandboxOrigin],
      news,
      clock,
      random: () => 0.5,
      log: silentLogger,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }),
      onGrantDead: async (death) => {
        dead.push(death);
      },
      onGrantRevived: async (grant) => {
        revived.push(grant);
      },
      ...(options.timings === undefined ? {} : { timings: options.timings }),
      ...deps,
    });
    return { credentials, vault };
  }

  const first = await aProcess();

  async function aWorkspace(): Promise<WorkspaceId> {
    const made = await createWorkspace({ withWorkspace, clock: systemClock }, { name: "Acme Analytics", mode: "test" });
    const workspaceId = decodeId("ws", made.id);
    if (workspaceId === null) throw new Error("no workspace id");
    await putProviderApp(
      { withWorkspace, clock: systemClock, vault: first.vault, sandboxOrigins: [sandboxOrigin] },
      {
        workspaceId,
        provider: "shopify",
        body: { clientId: "client", clientSecret: "s3cret", baseUrlOverride: sandboxOrigin },
      },
    );
    return workspaceId;
  }

  /** A grant with `access_0` and `refresh_0`, an hour from its end. */
  async function aGrant(
    changes: {
      readonly refreshToken?: string | null;
      /** Of the same workspace and provider app. */
      readonly beside?: GrantTarget | undefined;
    } = {},
  ): Promise<GrantTarget> {
    const workspaceId = changes.beside?.workspaceId ?? (await aWorkspace());
    const [app] = await db.sql`select id from provider_apps where workspace_id = ${workspaceId}`;
    const refreshToken = changes.refreshToken === undefined ? "refresh_0" : changes.refreshToken;
    const { grantId } = await first.credentials.storeGrant({
      workspaceId,
      provider: "shopify",
      providerAppId: app?.["id"],
      accountId: `gid://shopify/Shop/${randomUUID()}`,
      mode: "test",
      params: { shop: "acme.myshopify.com" },
      scopes: ["read_orders"],
      tokens: {
        accessToken: new Secret("access_0"),
        refreshToken: refreshToken === null ? null : new Secret(refreshToken),
        expiresInSeconds: 3600,
        refreshExpiresInSeconds: refreshToken === null ? null : 7_776_000,
        scopes: ["read_orders"],
      },
      issuedAt: new Date(),
    });
    return { workspaceId, grantId };
  }

  /** Time goes by for one grant: what is stored moves into the past. */
  async function passes(target: GrantTarget, ms: number): Promise<void> {
    const ago = `${ms} milliseconds`;
    await db.sql`update grants set
        access_expires_at = access_expires_at - ${ago}::interval, refresh_at = refresh_at - ${ago}::interval,
        refresh_expires_at = refresh_expires_at - ${ago}::interval, keep_alive_at = keep_alive_at - ${ago}::interval,
        dead_since = dead_since - ${ago}::interval, lease_until = lease_until - ${ago}::interval
      where workspace_id = ${target.workspaceId} and id = ${target.grantId}`;
    await db.sql`update token_budgets set blocked_until = blocked_until - ${ago}::interval
      where workspace_id = ${target.workspaceId}`;
  }

  async function rowOf(target: { readonly workspaceId: WorkspaceId; readonly grantId: GrantId }) {
    const [row] =
      await db.sql`select * from grants where workspace_id = ${target.workspaceId} and id = ${target.grantId}`;
    if (row === undefined) throw new Error("no such grant");
    return row;
  }

  return {
    sql: db.sql,
    audit: createAudit({ withWorkspace, vault: first.vault, clock: systemClock }),
    origin: sandboxOrigin,
    withWorkspace,
    database,
    egress,
    passes,
    dead,
    revived,
    aProcess,
    aWorkspace,
    aGrant,
    rowOf,
    async [Symbol.asyncDispose]() {
      for (const each of open) await each[Symbol.asyncDispose]();
      await egress.close();
      await database.close();
      await db.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
