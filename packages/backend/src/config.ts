import { resolve } from "node:path";
import { z } from "zod";
import { KEY_ENVIRONMENT, keyFileOf, keySettings } from "./config-keys.ts";
import { secureUrl } from "./config-url.ts";
import type { KeySettings } from "./domain/vault/index.ts";
import { RETENTION_DAYS_MIN, parseDatabaseUrl, type ConnectionOptions } from "./platform/db/index.ts";
import type { LogLevel } from "./platform/observability/index.ts";
import { isNetwork } from "./platform/runtime/index.ts";

/** Everything that an operator can set, checked. `docs/operations.md` has the same table. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** How browsers and providers reach us; no slash at the end. */
  readonly publicUrl: string;
  /** `null`: the embedded Postgres in `dataDir`. With `direct` when it is behind a pooler. */
  readonly database: ConnectionOptions | null;
  readonly databaseConnectionsMax: number;
  readonly dataDir: string;
  readonly keyFile: string;
  /** Where the keys that wrap the vault's keys live. */
  readonly keys: KeySettings;
  readonly operatorTokenFile: string;
  /** Exact origins that `baseUrlOverride` of a test workspace's provider app may name. */
  readonly sandboxOrigins: readonly string[];
  /** Exact origins, http allowed, that webhook endpoints of test workspaces may name. */
  readonly endpointOrigins: readonly string[];
  /** Networks of our own proxies, whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly logLevel: LogLevel;
  readonly inboxRetentionDays: number;
  /** How long deliveries that arrived are told of, with their attempts. */
  readonly deliveryRetentionDays: number;
  /** How long database backups and write-ahead logs are kept, as erasure receipts say it; `null`: not told. */
  readonly backupRetentionDays: number | null;
  /** Between incremental runs of a connection. */
  readonly syncIntervalSeconds: number;
  /** Until work of a killed process is taken over by another. */
  readonly leaseSeconds: number;
  /** Ports of the example host and the sandbox, which only `patchbay start` runs. */
  readonly hostAppPort: number;
  readonly sandboxPort: number;
}

/** A wrong setting; each problem is one sentence that names the variable. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads the settings. Pure: only `main.ts` touches the environment.
 *
 * @throws ConfigError that names every wrong value
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>, cwd: string): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
  const unknown = Object.keys(given).filter(
    (name) => name.startsWith("PATCHBAY_") && !KNOWN.has(name) && !OF_CLIENTS.has(name),
  );
  const parsed = Environment.safeParse(given);
  const dataDir = resolve(cwd, parsed.data?.PATCHBAY_DATA_DIR ?? "");
  const keys = parsed.success ? keySettings(parsed.data, cwd, dataDir) : [];
  const problems = [
    ...unknown.map((name) => `${name} is not a setting; remove it or correct its name`),
    ...(parsed.error?.issues ?? []).map(sentenceOf),
    ...("providers" in keys ? [] : keys),
    ...("PATCHBAY_DATABASE_DIRECT_URL" in given && !("DATABASE_URL" in given)
      ? ["PATCHBAY_DATABASE_DIRECT_URL says where the server is behind a pooler; DATABASE_URL must name the pooler"]
      : []),
  ];
  if (!parsed.success || !("providers" in keys) || problems.length > 0) throw new ConfigError(problems.join("\n"));
  const values = parsed.data;
  return {
    host: values.PATCHBAY_HOST,
    port: values.PATCHBAY_PORT,
    publicUrl: values.PATCHBAY_PUBLIC_URL ?? `http://localhost:${values.PATCHBAY_PORT}`,
    database: databaseOf(values.DATABASE_URL, values.PATCHBAY_DATABASE_DIRECT_URL),
    databaseConnectionsMax: values.PATCHBAY_DATABASE_CONNECTIONS,
    dataDir,
    keyFile: keyFileOf(values, cwd, dataDir),
    keys,
    operatorTokenFile: resolve(cwd, values.PATCHBAY_OPERATOR_TOKEN_FILE ?? `${dataDir}/operator-token`),
    sandboxOrigins: values.PATCHBAY_SANDBOX_ORIGINS,
    endpointOrigins: values.PATCHBAY_ENDPOINT_ORIGINS,
    trustedProxies: values.PATCHBAY_TRUSTED_PROXIES,
    logLevel: values.PATCHBAY_LOG_LEVEL,
    inboxRetentionDays: values.PATCHBAY_INBOX_RETENTION_DAYS,
    deliveryRetentionDays: values.PATCHBAY_DELIVERY_RETENTION_DAYS,
    backupRetentionDays: values.PATCHBAY_BACKUP_RETENTION_DAYS ?? null,
    syncIntervalSeconds: values.PATCHBAY_SYNC_INTERVAL_SECONDS,
    leaseSeconds: values.PATCHBAY_LEASE_SECONDS,
    hostAppPort: values.PATCHBAY_HOST_APP_PORT,
    sandboxPort: values.PATCHBAY_SANDBOX_PORT,
  };
}

function databaseOf(given?: ConnectionOptions, direct?: ConnectionOptions): ConnectionOptions | null {
  if (given === undefined) return null;
  return direct === undefined ? given : { ...given, direct };
}

function sentenceOf({ path, message }: z.core.$ZodIssue): string {
  const name = path.join(".");
  return message.startsWith(name) ? message : `${name}: ${message}`;
}

function wholeNumber(min: number, max: number, problem: string) {
  return z
    .string()
    .regex(/^\d{1,9}$/, problem)
    .transform(Number)
    .refine((value) => value >= min && value <= max, problem);
}

const port = wholeNumber(0, 65_535, "must be a port, 0 to 65535");

const origins = z.string().transform((text, context) => {
  const list = text.split(",").map((item) => item.trim());
  for (const item of list) {
    if (URL.parse(item)?.origin !== item) {
      context.addIssue(
        `must be origins separated by commas, such as http://localhost:4403; ${JSON.stringify(item)} is none`,
      );
    }
  }
  return list;
});

const networks = z.string().transform((text, context) => {
  const list = text.split(",").map((item) => item.trim());
  for (const item of list) {
    if (isNetwork(item)) continue;
    context.addIssue(`must be networks separated by commas, such as 10.0.0.0/8; ${JSON.stringify(item)} is none`);
  }
  return list;
});

const databaseUrl = z.string().transform((text, context) => {
  try {
    return parseDatabaseUrl(text);
  } catch (error) {
    context.addIssue(error instanceof Error ? error.message : "is not a database URL");
    return z.NEVER;
  }
});

const Environment = z.object({
  PATCHBAY_HOST: z.string().default("127.0.0.1"),
  PATCHBAY_PORT: port.default(4400),
  PATCHBAY_PUBLIC_URL: secureUrl(/^(?:localhost|.+\.localhost|127\.0\.0\.1|\[::1\])$/).optional(),
  DATABASE_URL: databaseUrl.optional(),
  PATCHBAY_DATABASE_DIRECT_URL: databaseUrl.optional(),
  PATCHBAY_DATABASE_CONNECTIONS: wholeNumber(4, 200, "must be 4 to 200").default(16),
  PATCHBAY_DATA_DIR: z.string().default(".patchbay"),
  ...KEY_ENVIRONMENT,
  PATCHBAY_OPERATOR_TOKEN_FILE: z.string().optional(),
  PATCHBAY_SANDBOX_ORIGINS: origins.default([]),
  PATCHBAY_ENDPOINT_ORIGINS: origins.default([]),
  PATCHBAY_TRUSTED_PROXIES: networks.default([]),
  PATCHBAY_LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"], "must be trace, debug, info, warn, error or silent")
    .default("info"),
  PATCHBAY_INBOX_RETENTION_DAYS: wholeNumber(
    RETENTION_DAYS_MIN,
    3_650,
    `must be ${RETENTION_DAYS_MIN} to 3650 days: raw payloads are promised for at least ${RETENTION_DAYS_MIN}`,
  ).default(30),
  PATCHBAY_DELIVERY_RETENTION_DAYS: wholeNumber(7, 3_650, "must be 7 to 3650 days").default(30),
  PATCHBAY_BACKUP_RETENTION_DAYS: wholeNumber(0, 36_500, "must be 0 to 36500 days").optional(),
  PATCHBAY_SYNC_INTERVAL_SECONDS: wholeNumber(30, 86_400, "must be 30 to 86400 seconds").default(900),
  PATCHBAY_LEASE_SECONDS: wholeNumber(2, 300, "must be 2 to 300 seconds").default(30),
  PATCHBAY_HOST_APP_PORT: port.default(4401),
  PATCHBAY_SANDBOX_PORT: port.default(4403),
});
const KNOWN: ReadonlySet<string> = new Set(Object.keys(Environment.shape));
/** Read by hosts and by `patchbay listen`; they may stand in the same environment. */
const OF_CLIENTS: ReadonlySet<string> = new Set(["PATCHBAY_API_KEY", "PATCHBAY_URL"]);
