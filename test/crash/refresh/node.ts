import { setTimeout as sleep } from "node:timers/promises";
import {
  defineConnector,
  type Connector,
  type RefreshPolicy,
} from "../../../packages/backend/src/connectors/kit/index.ts";
import { shopify } from "../../../packages/backend/src/connectors/shopify/index.ts";
import { createAudit } from "../../../packages/backend/src/domain/audit/index.ts";
import { grantDied, grantRevived } from "../../../packages/backend/src/domain/connections/index.ts";
import { createVault, type Keys } from "../../../packages/backend/src/domain/vault/index.ts";
import { openDatabase, type ConnectionOptions } from "../../../packages/backend/src/platform/db/index.ts";
import { createEgress } from "../../../packages/backend/src/platform/egress/index.ts";
import { silentLogger } from "../../../packages/backend/src/platform/observability/index.ts";
import { systemClock } from "../../../packages/backend/src/platform/runtime/index.ts";
import {
  createCredentials,
  createGrantNews,
  type CreateCredentials,
  type Credentials,
} from "../../../packages/backend/src/products/credentials/index.ts";
import type { TokenLimit } from "../../../packages/backend/src/products/credentials/token-budget.ts";
import type { Policy } from "./policy-server.ts";

export interface RefreshNode extends AsyncDisposable {
  readonly credentials: Credentials;
}

/** Everything that refreshes grants, with a database pool and memory of its own: as much of a process as counts here. */
export async function startNode(given: {
  readonly connection: ConnectionOptions;
  readonly keys: Keys;
  readonly origin: string;
  readonly timings?: CreateCredentials["timings"] | undefined;
  /** Of the token endpoint; else the one that providers get who declare none. */
  readonly limit?: TokenLimit | undefined;
  readonly at?: CreateCredentials["at"] | undefined;
}): Promise<RefreshNode> {
  const { timings, at } = given;
  const database = openDatabase(given.connection, POOL_MAX);
  const { withWorkspace } = database.as("patchbay_app");
  const vault = createVault({ withWorkspace, keys: given.keys, clock: systemClock });
  const egress = createEgress({ log: silentLogger });
  const news = await createGrantNews({ database, log: silentLogger });
  const audit = createAudit({ withWorkspace, vault, clock: systemClock });
  const telling = { withWorkspace, vault, audit, clock: systemClock, wake: { poke() {} } };
  const credentials = createCredentials({
    ...telling,
    connectors: connectorsOf(given.limit),
    egress,
    sandboxOrigins: [given.origin],
    news,
    random: Math.random,
    log: silentLogger,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    onGrantDead: (death) => grantDied(telling, death),
    onGrantRevived: (grant) => grantRevived(telling, grant),
    ...(timings === undefined ? {} : { timings }),
    ...(at === undefined ? {} : { at }),
  });
  return {
    credentials,
    async [Symbol.asyncDispose]() {
      await credentials.settled();
      await news.close();
      await egress.close();
      await database.close();
    },
  };
}

const POOL_MAX = 4;

const REFRESH: Readonly<Record<Policy, RefreshPolicy>> = {
  stable: { kind: "stable" },
  until_replaced: { kind: "rotating", oldTokenWorks: "until_replaced", idleDays: 90 },
  never: { kind: "rotating", oldTokenWorks: "never", idleDays: 90 },
  none: { kind: "none" },
};

/** One provider per policy, named like it. */
function connectorsOf(limit: TokenLimit | undefined): Readonly<Record<string, Connector>> {
  const limits = limit === undefined ? [] : [{ ...limit, kind: "requests", scope: "app", name: "token" } as const];
  return Object.fromEntries(
    Object.entries(REFRESH).map(([id, refresh]) => [
      id,
      defineConnector({
        ...shopify,
        id,
        limits: [...shopify.limits, ...limits],
        auth: shopify.auth.map((method) => (method.kind === "oauth2" ? { ...method, refresh } : method)),
      }),
    ]),
  );
}
