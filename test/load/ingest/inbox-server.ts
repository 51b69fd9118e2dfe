import { parseConfig } from "@patchbay/backend";
import { connectorById } from "../../../packages/backend/src/connectors/index.ts";
import { createAudit } from "../../../packages/backend/src/domain/audit/index.ts";
import { createVault, openKeys, type Vault } from "../../../packages/backend/src/domain/vault/index.ts";
import { openDatabase } from "../../../packages/backend/src/platform/db/index.ts";
import { createMetrics, silentLogger } from "../../../packages/backend/src/platform/observability/index.ts";
import { Secret, systemClock } from "../../../packages/backend/src/platform/runtime/index.ts";
import { listen } from "../../../packages/backend/src/listen.ts";
import { countedInbox, createProductMetrics } from "../../../packages/backend/src/product-metrics.ts";
import { accept, admit, type Delivery } from "../../../packages/backend/src/products/ingest/inbox/accept.ts";
import { createAdmission } from "../../../packages/backend/src/products/ingest/inbox/admission.ts";
import { appendInbox } from "../../../packages/backend/src/products/ingest/inbox/append-inbox.ts";
import type { InboxPort } from "../../../packages/backend/src/products/ingest/inbox/inbox-port.ts";
import { createSourceCache } from "../../../packages/backend/src/products/ingest/sources/source-cache.ts";
import { createApp, mountInboxDoor } from "../../../packages/backend/src/surface/http/index.ts";

/**
 * The product's own HTTP server and inbox door over another store, to compare with: `floor` checks signatures and
 * keeps nothing (nothing is sealed either), `sealed` does all but the database's part, `single` stores each webhook
 * in a transaction of its own.
 */
const VARIANTS = ["floor", "sealed", "single"] as const;
type Variant = (typeof VARIANTS)[number];

const variant = VARIANTS.find((name) => name === process.argv[2]);
if (variant === undefined) throw new Error(`expected one of ${VARIANTS.join(", ")}`);
const config = parseConfig(process.env, process.cwd());
if (config.database === null) throw new Error("DATABASE_URL is missing");
const clock = systemClock;
const database = openDatabase(config.database, config.databaseConnectionsMax);
const app = database.as("patchbay_app");
const vault = createVault({ withWorkspace: app.withWorkspace, keys: await openKeys(config.keys), clock });
const acceptDeps = {
  vault: variant === "floor" ? withoutSealing(vault) : vault,
  connectorById,
  publicUrl: config.publicUrl,
  findSource: createSourceCache({ app, vault, clock }),
  inbox: inboxOf(variant),
};
const counted = createProductMetrics(createMetrics());
const admission = createAdmission();
const ingest = countedInbox(
  {
    admit: (input) => admit({ ...acceptDeps, admission }, input),
    accept: (delivery: Delivery) => accept(acceptDeps, delivery),
  },
  counted,
  () => true,
);
const hono = createApp({
  log: silentLogger,
  onAnswered: ({ seconds, method, route, status }) =>
    counted.requests.observe(seconds, { method, route, status: String(status) }),
  clock,
  operatorToken: new Secret("unused"),
  idempotency: async (_c, next) => next(),
  connectGuard: async (_c, next) => next(),
  authenticate: async () => null,
  audit: createAudit({ withWorkspace: app.withWorkspace, vault, clock }),
  tenantOf: async () => null,
  workspaceExists: async () => false,
  routes: [],
  mounts: [(each) => mountInboxDoor(each, { ingest, clock })],
  publicUrl: config.publicUrl,
  trustedProxies: [],
  version: "bench",
});
await listen(hono.fetch, config);
console.log("ready");

function inboxOf(kind: Variant): Pick<InboxPort, "append"> {
  if (kind !== "single") return { append: async () => {} };
  const asIngest = database.as("patchbay_ingest");
  return { append: (row) => appendInbox(asIngest, [row]) };
}

function withoutSealing(real: Vault): Vault {
  return {
    ...real,
    sealer: async (spec) => ({ keyId: (await real.sealer(spec)).keyId, seal: (_place, plain) => plain }),
  };
}
