import { PatchbayError } from "./errors.ts";
import { ApiKeys } from "./resources/api-keys.ts";
import { Audit } from "./resources/audit.ts";
import { ConnectSessions } from "./resources/connect-sessions.ts";
import { Connections } from "./resources/connections.ts";
import { Deliveries } from "./resources/deliveries.ts";
import { Erasures } from "./resources/erasures.ts";
import { Events } from "./resources/events.ts";
import { Inbox } from "./resources/inbox.ts";
import { Providers } from "./resources/providers.ts";
import { Records } from "./resources/records.ts";
import { Runs } from "./resources/runs.ts";
import { Tenants } from "./resources/tenants.ts";
import { WebhookEndpoints } from "./resources/webhook-endpoints.ts";
import { systemRuntime } from "./runtime.ts";
import { tenantScope, type TenantScope } from "./tenant-scope.ts";
import { Transport } from "./transport.ts";
import { Webhooks } from "./webhooks.ts";

const BASE_URL_DEFAULT = "http://localhost:4400";
const TIMEOUT_MS_DEFAULT = 60_000;
const MAX_RETRIES_DEFAULT = 2;

export interface PatchbayOptions {
  /** `pb_live_…` or `pb_test_…`; default: the environment's `PATCHBAY_API_KEY`. */
  readonly apiKey?: string | undefined;
  /** Where your Patchbay runs; default: the environment's `PATCHBAY_URL`, else `http://localhost:4400`. */
  readonly baseUrl?: string | undefined;
  /** For each try of a request; default 60 000. */
  readonly timeoutMs?: number | undefined;
  /** Tries after the first one; default 2. */
  readonly maxRetries?: number | undefined;
  /** Used instead of the global `fetch`: for a proxy, tracing, tests. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Of your webhook endpoint, or several while one replaces another; what `webhooks.unwrap` uses by default. */
  readonly webhookSecret?: string | readonly string[] | undefined;
}

/**
 * Patchbay, for your backend. Make one and share it.
 *
 * ```ts
 * const patchbay = new Patchbay({ apiKey: process.env.PATCHBAY_API_KEY });
 * for await (const order of patchbay.tenant("acme").records.list("order")) { … }
 * ```
 */
export class Patchbay {
  readonly tenants: Tenants;
  readonly erasures: Erasures;
  readonly connectSessions: ConnectSessions;
  readonly connections: Connections;
  readonly runs: Runs;
  readonly records: Records;
  readonly events: Events;
  readonly webhookEndpoints: WebhookEndpoints;
  readonly deliveries: Deliveries;
  readonly inbox: Inbox;
  readonly providers: Providers;
  readonly apiKeys: ApiKeys;
  readonly audit: Audit;
  readonly webhooks: Webhooks;

  /** @throws PatchbayError when there is no API key, or an option makes no sense */
  constructor(options: PatchbayOptions = {}) {
    const runtime = options.fetch ? { ...systemRuntime, fetch: options.fetch } : systemRuntime;
    const transport = new Transport(
      {
        apiKey: checkedKey(options.apiKey ?? environment("PATCHBAY_API_KEY")),
        baseUrl: checkedUrl(options.baseUrl ?? environment("PATCHBAY_URL") ?? BASE_URL_DEFAULT),
        timeoutMs: checkedCount("timeoutMs", options.timeoutMs ?? TIMEOUT_MS_DEFAULT, 1),
        maxRetries: checkedCount("maxRetries", options.maxRetries ?? MAX_RETRIES_DEFAULT, 0),
      },
      runtime,
    );
    this.tenants = new Tenants(transport);
    this.erasures = new Erasures(transport);
    this.connectSessions = new ConnectSessions(transport);
    this.connections = new Connections(transport);
    this.runs = new Runs(transport);
    this.records = new Records(transport);
    this.events = new Events(transport, runtime);
    this.webhookEndpoints = new WebhookEndpoints(transport);
    this.deliveries = new Deliveries(transport);
    this.inbox = new Inbox(transport);
    this.providers = new Providers(transport);
    this.apiKeys = new ApiKeys(transport);
    this.audit = new Audit(transport);
    this.webhooks = new Webhooks(options.webhookSecret, runtime.now);
  }

  /** The client seen from one tenant: `patchbay.tenant("acme").records.list("order")`. */
  tenant(tenantId: string): TenantScope {
    return tenantScope(this, tenantId);
  }
}

function environment(name: string): string | undefined {
  return globalThis.process?.env[name] || undefined;
}

function checkedKey(apiKey: string | undefined): string {
  if (!apiKey) throw new PatchbayError("no API key: pass `apiKey`, or set PATCHBAY_API_KEY");
  // A line break or an umlaut would make fetch fail with a message that shows the header.
  if (!/^[\x21-\x7e]+$/.test(apiKey)) throw new PatchbayError("the API key holds characters that no API key has");
  return apiKey;
}

function checkedUrl(baseUrl: string): string {
  if (!/^https?:\/\//i.test(baseUrl) || !URL.canParse(baseUrl)) {
    throw new PatchbayError(`baseUrl must be an http or https URL, not ${JSON.stringify(baseUrl)}`);
  }
  return baseUrl.replace(/\/+$/, "");
}

function checkedCount(name: string, value: number, least: number): number {
  if (!Number.isInteger(value) || value < least) throw new PatchbayError(`${name} must be an integer ≥ ${least}`);
  return value;
}
