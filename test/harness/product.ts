import { Patchbay as Sdk } from "@patchbay/node";
import {
  parseConfig,
  prepareLocalFiles,
  startPatchbay,
  type Config,
  type Patchbay,
  type Roles,
  type StartOptions,
} from "@patchbay/backend";
import { startSandbox, type Sandbox, type SandboxOptions } from "@patchbay/sandbox";
import { SCOPES, type CreateWorkspace, type Workspace } from "@patchbay/shared";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createVault, openLocalKeys } from "../../packages/backend/src/domain/vault/index.ts";
import { openDatabase } from "../../packages/backend/src/platform/db/index.ts";
import { systemClock } from "../../packages/backend/src/platform/runtime/index.ts";
import { checkEvents } from "./check-events.ts";
import { freePort } from "./free-port.ts";
import { createLogger } from "../../packages/backend/src/platform/observability/index.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { createLeakWatch } from "./leaks.ts";
import { scratchRoot } from "./scratch-root.ts";

/** The whole product on a database of its own, over real HTTP, with a sandbox beside it. */
export interface TestProduct extends AsyncDisposable {
  readonly url: string;
  readonly database: TestDatabase;
  readonly sandbox: Sandbox;
  readonly patchbay: Patchbay;
  readonly operatorToken: string;
  /** The settings it runs with, for starting further processes on the same database. */
  readonly env: Readonly<Record<string, string>>;
  /** Another process' worth of workers, logging to the same place. Close it before the product. */
  startWorker(): Promise<Patchbay>;
  /** A workspace with a full API key, an SDK client and the sandbox registered as its Shopify app. */
  addWorkspace(input?: Partial<CreateWorkspace>): Promise<TestWorkspace>;
  close(): Promise<void>;
}

export interface TestWorkspace {
  readonly workspace: Workspace;
  readonly apiKey: string;
  readonly sdk: Sdk;
}

export interface ProductOptions {
  readonly roles?: Roles;
  readonly sandbox?: SandboxOptions;
  /** Origins, http allowed, that endpoints may have. Ports count: pass those of your receivers. */
  readonly endpointOrigins?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Before the product connects to its database. */
  readonly arrange?: (database: TestDatabase) => Promise<void>;
  /** Takes what the product logs. By default nobody reads it, but it is searched for secrets, at the level trace. */
  readonly log?: StartOptions["log"];
}

const SANDBOX_SECRET = "sandbox-secret-0001";
const SMALL_STORE: SandboxOptions = { orders: 12, products: 6, customers: 8 };

/**
 * Starts it; close it in `afterAll`, or bind it with `await using`.
 *
 * The end fails when a secret was logged: whatever a test is about, this holds.
 */
export async function startTestProduct(options: ProductOptions = {}): Promise<TestProduct> {
  const database = await createTestDatabase();
  await options.arrange?.(database);
  const dataDir = await mkdtemp(join(await scratchRoot(), "product-"));
  const sandbox = await startSandbox({ ...SMALL_STORE, ...options.sandbox });
  const port = await freePort();
  const env = {
    PATCHBAY_PORT: String(port),
    PATCHBAY_DATA_DIR: dataDir,
    DATABASE_URL: database.url,
    PATCHBAY_LOG_LEVEL: "silent",
    PATCHBAY_SANDBOX_ORIGINS: sandbox.url,
    ...(options.endpointOrigins === undefined ? {} : { PATCHBAY_ENDPOINT_ORIGINS: options.endpointOrigins.join(",") }),
    ...options.env,
  };
  const config = parseConfig(env, dataDir);
  await prepareLocalFiles(config);
  const watch = createLeakWatch();
  for (const [name, secret] of await plantedIn(config)) watch.plant(name, secret);
  const log = options.log ?? createLogger("trace", watch);
  const patchbay = await startPatchbay({
    config,
    roles: options.roles ?? { api: true, worker: true },
    log,
  });
  const operatorToken = (await readFile(config.operatorTokenFile, "utf8")).trim();
  const close = async () => {
    await patchbay.close();
    await sandbox.close();
    await checkTold(database, config);
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
    const leaks = watch.leaks();
    if (leaks.length > 0) throw new Error(`the product logged secrets:\n${leaks.join("\n")}`);
  };
  return {
    url: patchbay.url,
    database,
    sandbox,
    patchbay,
    operatorToken,
    env,
    startWorker() {
      // Workers tell providers where to deliver: at the API.
      const own = parseConfig({ ...env, PATCHBAY_PUBLIC_URL: patchbay.url, PATCHBAY_PORT: "0" }, dataDir);
      return startPatchbay({ config: own, roles: { api: false, worker: true }, log });
    },
    addWorkspace: (input) => addWorkspace(patchbay, sandbox, input ?? {}),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Every event that it told, against the catalogue; not where its keys are kept elsewhere. */
async function checkTold({ connection, sql }: TestDatabase, { keyFile }: Config): Promise<void> {
  const keys = await openLocalKeys(keyFile).catch(() => null);
  if (keys === null) return;
  const database = openDatabase(connection, 1);
  const { withWorkspace } = database.as("patchbay_app");
  try {
    await checkEvents(sql, createVault({ withWorkspace, keys, clock: systemClock }));
  } finally {
    await database.close();
  }
}

/** What this installation must never tell, letter by letter; the rest is known by its shape. */
async function plantedIn(config: Config): Promise<readonly (readonly [string, string])[]> {
  const keys = await readFile(config.keyFile, "utf8").catch(() => "");
  const found: readonly (readonly [string, string])[] = [
    ["the operator token", (await readFile(config.operatorTokenFile, "utf8")).trim()],
    ["the database's password", config.database?.password ?? ""],
    ["the provider app's secret", SANDBOX_SECRET],
    ...[...keys.matchAll(/:([A-Za-z0-9+/]{43}=)/g)].map(([, key = ""]): [string, string] => [
      "the key file's key",
      key,
    ]),
  ];
  return found.filter(([, secret]) => secret !== "");
}

async function addWorkspace(
  patchbay: Patchbay,
  sandbox: Sandbox,
  input: Partial<CreateWorkspace>,
): Promise<TestWorkspace> {
  const workspace = await patchbay.createWorkspace({ name: "Test host", mode: "test", ...input });
  const { secret: apiKey } = await patchbay.createApiKey(workspace.id, { name: "tests", scopes: SCOPES });
  const sdk = new Sdk({ apiKey, baseUrl: patchbay.url, maxRetries: 0 });
  await sdk.providers.setApp("shopify", {
    clientId: "sandbox-app",
    clientSecret: SANDBOX_SECRET,
    baseUrlOverride: `${sandbox.url}/_shops/{shop}`,
  });
  return { workspace, apiKey, sdk };
}
