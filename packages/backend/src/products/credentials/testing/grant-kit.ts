import { decodeId, type GrantId, type WorkspaceId } from "@patchbay/shared";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase } from "../../../../../../test/harness/database.ts";
import type { Connector } from "../../../connectors/kit/index.ts";
import { shopify } from "../../../connectors/shopify/index.ts";
import { createVault, openLocalKeys, type Vault } from "../../../domain/vault/index.ts";
import { createWorkspace, putProviderApp } from "../../../domain/workspaces/index.ts";
import { openDatabase } from "../../../platform/db/index.ts";
import { createEgress } from "../../../platform/egress/index.ts";
import { silentLogger } from "../../../platform/observability/index.ts";
import { Secret, type Clock } from "../../../platform/runtime/index.ts";
import { createCredentials, type Credentials } from "../credentials.ts";
import type { GrantTarget } from "../deps.ts";

export interface MovableClock extends Clock {
  advance(ms: number): void;
}

export function movableClock(start = new Date()): MovableClock {
  let at = start.getTime();
  return {
    now: () => new Date(at),
    advance: (ms) => {
      at += ms;
    },
  };
}

/** A database and what a test of grants needs around it. */
export async function createGrantKit(sandboxOrigin: string) {
  const folder = await mkdtemp(join(tmpdir(), "patchbay-grants-"));
  const keyFile = join(folder, "keys");
  await writeFile(keyFile, `pbk1:1:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  const keys = await openLocalKeys(keyFile);
  const db = await createTestDatabase();
  const database = openDatabase(db.connection, 8);
  const egress = createEgress({ log: silentLogger });
  const clock = movableClock();
  const { withWorkspace } = database.as("patchbay_app");
  const dead: GrantTarget[] = [];

  /** As in a process of its own: nothing in memory is shared. */
  function aProcess(options: { readonly connector?: Connector } = {}): { credentials: Credentials; vault: Vault } {
    const vault = createVault({ withWorkspace, keys, clock });
    const credentials = createCredentials({
      withWorkspace,
      vault,
      connectors: { shopify: options.connector ?? shopify },
      egress,
      sandboxOrigins: [sandboxOrigin],
      onGrantDead: async (grant) => {
        dead.push(grant);
      },
      clock,
      random: () => 0.5,
      log: silentLogger,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    });
    return { credentials, vault };
  }

  const first = aProcess();

  async function aWorkspace(): Promise<WorkspaceId> {
    const made = await createWorkspace({ withWorkspace, clock }, { name: "Acme Analytics", mode: "test" });
    const workspaceId = decodeId("ws", made.id);
    if (workspaceId === null) throw new Error("no workspace id");
    await putProviderApp(
      { withWorkspace, clock, vault: first.vault, sandboxOrigins: [sandboxOrigin] },
      {
        workspaceId,
        provider: "shopify",
        body: { clientId: "client", clientSecret: "s3cret", baseUrlOverride: sandboxOrigin },
      },
    );
    return workspaceId;
  }

  /** A grant with `access_0` and `refresh_0`, an hour from its end. */
  async function aGrant(changes: { readonly refreshToken?: string | null } = {}): Promise<GrantTarget> {
    const workspaceId = await aWorkspace();
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
      issuedAt: clock.now(),
    });
    return { workspaceId, grantId };
  }

  async function rowOf(target: { readonly workspaceId: WorkspaceId; readonly grantId: GrantId }) {
    const [row] =
      await db.sql`select * from grants where workspace_id = ${target.workspaceId} and id = ${target.grantId}`;
    if (row === undefined) throw new Error("no such grant");
    return row;
  }

  return {
    sql: db.sql,
    withWorkspace,
    database,
    clock,
    egress,
    dead,
    aProcess,
    aWorkspace,
    aGrant,
    rowOf,
    async [Symbol.asyncDispose]() {
      await egress.close();
      await database.close();
      await db.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
