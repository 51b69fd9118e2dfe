import { startPatchbay } from "@patchbay/backend";
import { Patchbay } from "@patchbay/node";
import { decodeId, SCOPES, type ConnectionId, type SourceId, type WorkspaceId } from "@patchbay/shared";
import { silentLogger } from "../../../packages/backend/src/platform/observability/index.ts";
import { encodeSource } from "../../../packages/backend/src/products/ingest/sources/source-path.ts";
import { startChild, type Child } from "../../crash/child.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { connectStore } from "../loop/connect-store.ts";
import { openGround, type Ground } from "./ground.ts";
import type { Target } from "./load-plan.ts";
import { startQuickStore, type QuickStore } from "./start-quick-store.ts";
import { startSink, type Sink } from "./start-sink.ts";

/** The product as API and worker processes, with stores behind it and a host before it. */
export interface WholeStage {
  readonly ground: Ground;
  readonly sink: Sink;
  readonly url: string;
  readonly workspaceId: WorkspaceId;
  readonly patchbay: Patchbay;
  /** An endpoint for some types of events, at a path of the sink of its own. Asked for again, it is the same. */
  endpoint(path: string, types: readonly string[]): Promise<string>;
  /** A worker process, unless one runs. */
  worker(): Promise<Child>;
  /** Another one. */
  startWorker(): Promise<Child>;
  /** Has a second worker ready, then kills the first with -9. @returns when, by the clock */
  killWorker(): Promise<number>;
  /** Connects every store, once; the worker must run. @returns their inbox addresses */
  stores(): Promise<readonly Target[]>;
  /** Numbers of orders that no bench used before. @returns the first */
  takeOrders(count: number): number;
  close(): Promise<void>;
}

export const STORE_APP = { clientId: "bench-client-id", clientSecret: "bench-client-secret" };
const FIRST_IMPORT_MS_MAX = 60_000;

export async function setWholeStage(extra: Readonly<Record<string, string>> = {}): Promise<WholeStage> {
  const [sink, store] = await Promise.all([startSink(), startQuickStore()]);
  const ground = await openGround({
    PATCHBAY_SANDBOX_ORIGINS: store.url,
    PATCHBAY_ENDPOINT_ORIGINS: sink.origin,
    ...extra,
  });
  ground.onClose(() => store.close());
  ground.onClose(() => sink.close());
  try {
    const script = "packages/backend/src/main.ts";
    const api = await startChild({ script, args: ["api"], env: ground.env, ready: "Patchbay is ready" });
    ground.onClose(() => api.stop());
    // Serves nothing and works nothing: the way to make workspaces.
    const desk = await startPatchbay({
      config: ground.config,
      roles: { api: false, worker: false },
      log: silentLogger,
    });
    ground.onClose(() => desk.close());
    const url = ground.config.publicUrl;
    const returnUrl = `${sink.origin}/connected`;
    const workspace = await desk.createWorkspace({ name: "Bench", mode: "test", returnUrls: [returnUrl] });
    const { secret: apiKey } = await desk.createApiKey(workspace.id, { name: "bench", scopes: SCOPES });
    const workspaceId = decodeId("ws", workspace.id);
    if (workspaceId === null) throw new Error("a workspace without an id");
    const patchbay = new Patchbay({ apiKey, baseUrl: url });
    const endpoints = new Map<string, Promise<string>>();
    let worker: Promise<Child> | null = null;
    let targets: Promise<readonly Target[]> | null = null;
    let nextOrder = 0;
    const startWorker = async () => {
      const child = await startChild({ script, args: ["worker"], env: ground.env, ready: "worker is running" });
      ground.onClose(() => child.stop());
      return child;
    };
    const addEndpoint = async (path: string, types: readonly string[]) => {
      const endpoint = await patchbay.webhookEndpoints.create({ url: `${sink.origin}${path}`, types: [...types] });
      sink.bind(path, endpoint.secret);
      return endpoint.id;
    };
    return {
      ground,
      sink,
      url: `http://127.0.0.1:${ground.config.port}`,
      workspaceId,
      patchbay,
      endpoint(path, types) {
        const made = endpoints.get(path) ?? addEndpoint(path, types);
        endpoints.set(path, made);
        return made;
      },
      worker: () => (worker ??= startWorker()),
      startWorker,
      async killWorker() {
        const victim = await (worker ??= startWorker());
        worker = Promise.resolve(await startWorker());
        await victim.kill();
        return performance.timeOrigin + performance.now();
      },
      stores: () => (targets ??= connectStores({ ground, store, patchbay, workspaceId, url, returnUrl })),
      takeOrders(count) {
        const first = nextOrder;
        nextOrder += count;
        return first;
      },
      close: () => ground.close(),
    };
  } catch (error) {
    await ground.close();
    throw error;
  }
}

async function connectStores(input: {
  readonly ground: Ground;
  readonly store: QuickStore;
  readonly patchbay: Patchbay;
  readonly workspaceId: WorkspaceId;
  readonly url: string;
  readonly returnUrl: string;
}): Promise<readonly Target[]> {
  const { ground, store, patchbay, workspaceId, url, returnUrl } = input;
  const app = await patchbay.providers.setApp("shopify", {
    ...STORE_APP,
    baseUrlOverride: `${store.url}/_shops/{shop}`,
  });
  await store.registerApp({ ...STORE_APP, redirectUris: [app.redirectUri] });
  const targets: Target[] = [];
  for (const [index, shop] of store.shops.entries()) {
    const tenantId = `store-${index}`;
    await patchbay.tenants.upsert({ id: tenantId });
    const id = await connectStore({ patchbay, patchbayUrl: url, tenantId, shop, returnUrl });
    const connectionId = decodeId("conn", id);
    if (connectionId === null) throw new Error("a connection without an id");
    targets.push({ shop, path: await inboxPath(ground, workspaceId, connectionId) });
  }
  await waitFor(
    async () => {
      const { data } = await patchbay.runs.list({});
      return data.length >= targets.length && data.every(({ status }) => status === "completed");
    },
    { timeoutMs: FIRST_IMPORT_MS_MAX, intervalMs: 100, what: "the first imports" },
  );
  return targets;
}

/** As the worker registered it with the store. */
async function inboxPath(ground: Ground, workspaceId: WorkspaceId, connectionId: ConnectionId): Promise<string> {
  const sourceId = await waitFor(
    async () => {
      const [row] = await ground.sql<{ id: SourceId }[]>`select id from sources where connection_id = ${connectionId}`;
      return row?.id;
    },
    { timeoutMs: FIRST_IMPORT_MS_MAX, what: "the source of a connection" },
  );
  return `/in/shopify/${encodeSource({ workspaceId, sourceId })}`;
}
