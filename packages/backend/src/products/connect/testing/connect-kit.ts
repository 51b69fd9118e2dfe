import { startSandbox } from "@patchbay/sandbox";
import {
  decodeId,
  type Authorization,
  type CreateConnectSession,
  type StartAuthorization,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkEvents } from "../../../../../../test/harness/check-events.ts";
import { createTestDatabase } from "../../../../../../test/harness/database.ts";
import type { Connector } from "../../../connectors/kit/index.ts";
import { shopify } from "../../../connectors/shopify/index.ts";
import { grantDied, grantRevived, type ConnectionRow } from "../../../domain/connections/index.ts";
import { createAudit } from "../../../domain/audit/index.ts";
import { createVault, openLocalKeys } from "../../../domain/vault/index.ts";
import { createWorkspace, putProviderApp, putTenant } from "../../../domain/workspaces/index.ts";
import { openDatabase, type RoleDatabase } from "../../../platform/db/index.ts";
import { createEgress, type Egress } from "../../../platform/egress/index.ts";
import { silentLogger, type Logger } from "../../../platform/observability/index.ts";
import { createCredentials, createGrantNews } from "../../credentials/index.ts";
import { createProviderClient } from "../../provider-client/index.ts";
import { createConnect, type Connect, type SessionContext } from "../index.ts";

export const ORIGIN = "https://app.acme.example";
export const RETURN_URL = "https://app.acme.example/settings";
const CLIENT = { clientId: "client", clientSecret: "s3cret" };

export interface TestWorkspace {
  readonly workspaceId: WorkspaceId;
}

/** Backend, database and a look-alike of Shopify, joined over real HTTP. */
export async function createConnectKit(
  options: {
    readonly connector?: Connector;
    /** Beside Shopify. */
    readonly connectors?: Readonly<Record<string, Connector>>;
    readonly sandboxOrigins?: readonly string[];
    readonly publicUrl?: string;
    readonly log?: Logger;
  } = {},
) {
  const publicUrl = options.publicUrl ?? "http://localhost:4400";
  const folder = await mkdtemp(join(tmpdir(), "patchbay-connect-"));
  const keyFile = join(folder, "keys");
  await writeFile(keyFile, `pbk1:1:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  let shiftMs = 0;
  const clock = { now: () => new Date(Date.now() + shiftMs), advance: (ms: number) => void (shiftMs += ms) };
  const sandbox = await startSandbox({ clock, orders: 20, products: 20, customers: 20 });
  sandbox.shopify.registerApp({ ...CLIENT, redirectUris: [`${publicUrl}/oauth/callback/shopify`] });
  const db = await createTestDatabase();
  const database = openDatabase(db.connection, 8);
  const { withWorkspace, withTenant } = database.as("patchbay_app");
  const guard = createEgress({ log: silentLogger });
  /** Paths of what was asked of the provider, in order. */
  const asked: string[] = [];
  let afterAnswer: (() => void) | null = null;
  const egress: Egress = {
    ...guard,
    async request(request) {
      asked.push(new URL(request.url).pathname);
      const result = await guard.request(request);
      afterAnswer?.();
      afterAnswer = null;
      return result;
    },
    fetchLike: (policy) => {
      const fetchLike = guard.fetchLike(policy);
      return (input, init) => (asked.push(new URL(urlOf(input)).pathname), fetchLike(input, init));
    },
  };
  const vault = createVault({ withWorkspace, keys: await openLocalKeys(keyFile), clock });
  const connectors = { ...options.connectors, shopify: options.connector ?? shopify };
  const sandboxOrigins = [sandbox.url, ...(options.sandboxOrigins ?? [])];
  const log = options.log ?? silentLogger;
  const shared = {
    withWorkspace,
    withTenant,
    vault,
    audit: createAudit({ withWorkspace, vault, clock }),
    egress,
    connectors,
    sandboxOrigins,
    clock,
    log,
    random: () => 0.5,
    sleep: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }),
  };
  const activated: ConnectionRow[] = [];
  const ended: ConnectionRow[] = [];
  const unsubscribed: string[] = [];
  const wake = { poke() {} };
  const news = await createGrantNews({ database: null, log: silentLogger });
  function aNode(scopes: Pick<RoleDatabase, "withWorkspace" | "withTenant">) {
    const own = { ...shared, ...scopes };
    const telling = { ...own, wake };
    const credentials = createCredentials({
      ...own,
      news,
      onGrantDead: (death) => grantDied(telling, death),
      onGrantRevived: (grant) => grantRevived(telling, grant),
    });
    const node: Connect = createConnect({
      ...own,
      credentials,
      client: createProviderClient({ ...own, credentials }),
      publicUrl,
      onActivated: async (_, connection) => void activated.push(connection),
      onEnded: async (_, connection) => void ended.push(connection),
      removeSubscriptions: async ({ connectionId }) => void unsubscribed.push(connectionId),
      latestRuns: async () => new Map(),
      wake,
    });
    return { connect: node, credentials };
  }
  const { connect, credentials } = aNode(shared);

  async function aWorkspace(): Promise<TestWorkspace> {
    const made = await createWorkspace(shared, { name: "Acme Analytics", mode: "test", returnUrls: [RETURN_URL] });
    const workspaceId = decodeId("ws", made.id);
    if (workspaceId === null) throw new Error("no workspace id");
    const baseUrlOverride = `${sandbox.url}/_shops/{shop}`;
    await putProviderApp(shared, { workspaceId, provider: "shopify", body: { ...CLIENT, baseUrlOverride } });
    return { workspaceId };
  }

  async function aSession(
    { workspaceId }: TestWorkspace,
    changes: Partial<CreateConnectSession> = {},
  ): Promise<SessionContext> {
    const tenantId = changes.tenantId ?? "acme";
    await putTenant(shared, { workspaceId, id: tenantId, body: {} });
    const { token } = await connect.createSession({
      workspaceId,
      body: {
        tenantId,
        endUser: { id: "jane", label: "Jane", email: "jane@acme.example" },
        allowedOrigins: [ORIGIN],
        returnUrl: RETURN_URL,
        ...changes,
      },
    });
    return connect.authenticateSession(token, ORIGIN);
  }

  return {
    sql: db.sql,
    asked,
    /** Does something between the provider's next answer to an API call and what is asked then. */
    afterAnswer(what: () => void): void {
      afterAnswer = what;
    },
    /** A second process on the same database, with connections of its own. */
    async withSecondNode(work: (node: Connect) => Promise<void>): Promise<void> {
      const second = openDatabase(db.connection, 8);
      try {
        await work(aNode(second.as("patchbay_app")).connect);
      } finally {
        await second.close();
      }
    },
    shared,
    credentials,
    client: CLIENT,
    connect,
    sandbox,
    clock,
    activated,
    ended,
    unsubscribed,
    publicUrl,
    shop: sandbox.shopify.shops[0] ?? "",
    otherShop: sandbox.shopify.shops[1] ?? "",
    aWorkspace,
    aSession,
    widget: (session: SessionContext) => widget(connect, session),
    browser: () => browser(connect),
    async tenantUid({ workspaceId }: TestWorkspace, id: string): Promise<TenantUid> {
      const [row] = await db.sql`select uid from tenants where workspace_id = ${workspaceId} and external_id = ${id}`;
      return row?.["uid"];
    },
    /** Types of the events of a workspace, oldest first. */
    async eventTypes({ workspaceId }: TestWorkspace): Promise<readonly string[]> {
      const rows = await db.sql`select type from events where workspace_id = ${workspaceId} order by id`;
      return rows.map((row) => row["type"]);
    },
    /** What the product itself, not a caller, entered in the audit log, in order. */
    async systemActs({ workspaceId }: TestWorkspace): Promise<readonly string[]> {
      const rows = await db.sql`select action from audit_entries
        where workspace_id = ${workspaceId} and actor_kind = 'system' order by sequence`;
      return rows.map((row) => row["action"]);
    },
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      await egress.close();
      await checkEvents(db.sql, vault);
      await database.close();
      await db.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function urlOf(input: Parameters<typeof fetch>[0]): string {
  return input instanceof Request ? input.url : String(input);
}

/** The page that starts authorizations: it alone holds the verifier. */
function widget(connect: Connect, session: SessionContext) {
  const verifier = randomBytes(32).toString("base64url");
  const verifierChallenge = createHash("sha256").update(verifier).digest("base64url");
  return {
    verifier,
    start: (shop: string, changes: Partial<StartAuthorization> = {}) =>
      connect.startAuthorization(session, {
        provider: "shopify",
        parameters: { shop },
        verifierChallenge,
        display: "popup",
        ...changes,
      }),
    complete: (id: string, completionCode?: string): Promise<Authorization> =>
      connect.completeAuthorization(session, id, {
        verifier,
        ...(completionCode === undefined ? {} : { completionCode }),
      }),
  };
}

/** A browser window: opens start links, decides at the provider, and comes back with its own cookies. */
function browser(connect: Connect) {
  const cookies: Record<string, string> = {};

  /** Goes to the provider. @returns the consent page's address */
  async function open(startUrl: string): Promise<string> {
    const { redirectTo, cookie } = await connect.openTicket(startUrl.slice(startUrl.lastIndexOf("/") + 1));
    cookies[cookie.name] = cookie.value;
    return redirectTo;
  }

  /** Presses a button of the consent page. @returns the address that the provider sends the browser to */
  async function decide(consentUrl: string, decision: "install" | "cancel" = "install"): Promise<URL> {
    const body = new URLSearchParams({ decision });
    const response = await fetch(consentUrl, { method: "POST", body, redirect: "manual" });
    const location = response.headers.get("location");
    if (location === null) throw new Error(`the consent page answered ${response.status}: ${await response.text()}`);
    return new URL(location);
  }

  return {
    cookies,
    open,
    decide,
    comeBack: (url: URL) =>
      connect.callback({ provider: "shopify", query: url.searchParams, cookies, secFetchDest: "document" }),
    async consent(startUrl: string, decision: "install" | "cancel" = "install") {
      const back = await decide(await open(startUrl), decision);
      return connect.callback({ provider: "shopify", query: back.searchParams, cookies, secFetchDest: "document" });
    },
    /** As the window does when no opener can vouch for it. */
    async confirm(confirmUrl: string, answer: "connect" | "refuse" = "connect") {
      const caller = { reference: confirmUrl.slice(confirmUrl.lastIndexOf("/") + 1), cookies };
      const { csrf } = await connect.confirmScreen(caller);
      return connect.answerConfirmation({ ...caller, csrf, answer });
    },
  };
}
