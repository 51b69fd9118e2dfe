import { parseConfig, prepareLocalFiles, startPatchbay } from "@patchbay/backend";
import { Patchbay } from "@patchbay/node";
import { startSandbox, type Sandbox } from "@patchbay/sandbox";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../harness/free-port.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { connectStore } from "./connect-store.ts";
import { startHost, type Host } from "./host.ts";

/** The product with its own Postgres, a sandbox store that is connected, and a host that receives. */
export interface Stage {
  readonly sandbox: Sandbox;
  readonly shop: string;
  readonly host: Host;
  close(): Promise<void>;
}

const TENANT = "bench";
const CLIENT = { clientId: "bench-client-id", clientSecret: "bench-client-secret" };
const FIRST_IMPORT_MS_MAX = 30_000;

export async function setStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "patchbay-bench-"));
  const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const sandbox = await startSandbox({ orders: 20, products: 20, customers: 20 });
    undo.push(() => sandbox.close());
    const host = await startHost();
    undo.push(() => host.close());
    const config = parseConfig(
      {
        PATCHBAY_PORT: String(await freePort()),
        PATCHBAY_DATA_DIR: folder,
        PATCHBAY_SANDBOX_ORIGINS: sandbox.url,
        PATCHBAY_ENDPOINT_ORIGINS: host.origin,
        PATCHBAY_LOG_LEVEL: "error",
      },
      folder,
    );
    await prepareLocalFiles(config);
    const product = await startPatchbay({ config, roles: { api: true, worker: true } });
    undo.push(() => product.close());
    const shop = await furnish(product, sandbox, host);
    return { sandbox, shop, host, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Workspace, app, tenant, endpoint, connection; returns when the first import is done. */
async function furnish(
  product: Awaited<ReturnType<typeof startPatchbay>>,
  sandbox: Sandbox,
  host: Host,
): Promise<string> {
  const returnUrl = `${host.origin}/connected`;
  const workspace = await product.createWorkspace({ name: "Bench", mode: "test", returnUrls: [returnUrl] });
  const { secret: key } = await product.createApiKey(workspace.id, { name: "bench" });
  const patchbay = new Patchbay({ apiKey: key, baseUrl: product.url });
  const app = await patchbay.providers.setApp("shopify", {
    ...CLIENT,
    baseUrlOverride: `${sandbox.url}/_shops/{shop}`,
  });
  sandbox.shopify.registerApp({ ...CLIENT, redirectUris: [app.redirectUri] });
  await patchbay.tenants.upsert({ id: TENANT });
  const endpoint = await patchbay.webhookEndpoints.create({ url: host.webhookUrl, types: ["order.created"] });
  host.useSecret(endpoint.secret);
  const [shop] = sandbox.shopify.shops;
  if (shop === undefined) throw new Error("the sandbox has no store");
  const connectionId = await connectStore({
    patchbay,
    patchbayUrl: product.url,
    tenantId: TENANT,
    shop,
    returnUrl,
  });
  await waitFor(
    async () => {
      const { data } = await patchbay.runs.list({ connectionId });
      return data.some(({ status }) => status === "completed");
    },
    { timeoutMs: FIRST_IMPORT_MS_MAX, intervalMs: 100, what: "the first import" },
  );
  return shop;
}
