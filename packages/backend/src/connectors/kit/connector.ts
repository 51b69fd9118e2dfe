/**
 * The connector contract: a provider is a value.
 *
 * Data and pure functions only. A connector describes requests, reads answers, normalizes, declares how signatures
 * are made and classifies errors; one engine does the I/O. Every optional ability is an explicit `null`.
 *
 * @module
 */
import type { ModelName, NormalizedRecord } from "@patchbay/shared";
import type { z } from "zod";
import type { AuthMethod, Scopes } from "./auth.ts";
import type { SignatureScheme } from "./signature.ts";

export interface Connector {
  /** Slug in URLs and rows, such as `shopify`. */
  readonly id: string;
  readonly name: string;
  readonly api: ApiInfo;
  /** What the end customer types before authorizing, such as a shop domain. Empty for most providers. */
  readonly parameters: readonly ConnectionParameter[];
  /** Ways in, at least one; the first is what a person is offered. */
  readonly auth: readonly AuthMethod[];
  readonly scopes: Scopes;
  readonly identity: Identity;
  readonly limits: readonly RateLimit[];
  readonly resources: Readonly<Record<string, Resource>>;
  readonly webhooks: Webhooks | null;
  /** How a connection is given back; `null`: the provider offers no call for it. */
  readonly disconnect: { readonly revokes: "token" | "installation"; request(): ProviderRequest } | null;
  /** `null`: the answer is a success, or the generic rules by HTTP status apply. */
  classify(response: ProviderResponse): ProviderFault | null;
  /** What the provider says of our remaining budget. */
  observe(response: ProviderResponse): BudgetObservation | null;
}

export interface ApiInfo {
  /** Pinned. */
  readonly version: string;
  readonly docs: string;
  /** `YYYY-MM-DD` of the last check against the provider's documentation. */
  readonly checkedOn: string;
  /** Origin and path prefix of one account's API, from declared, pattern-checked parameters. */
  baseUrl(params: ConnectionParams): string;
  /** Header that tells the version which answered, compared with the pin. */
  readonly versionHeader: string | null;
}

/** Values of the declared parameters after `normalize`, and nothing else. */
export type ConnectionParams = Readonly<Record<string, string>>;

export interface ConnectionParameter {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  /** Fixed text shown behind the field. */
  readonly suffix: string | null;
  readonly example: string;
  /** What a person may type → the canonical value; `null` when it cannot be one. */
  normalize(input: string): string | null;
  /** Checked again on the canonical value before any request: it decides which host gets our secrets. */
  readonly pattern: RegExp;
}

/** One call that tells whose account the tokens open. */
export interface Identity {
  request(): ProviderRequest;
  parse(response: ProviderResponse): AccountIdentity;
}
export interface AccountIdentity {
  /** Immutable at the provider (Shopify: the shop's gid). */
  readonly accountId: string;
  readonly name: string;
  readonly url: string | null;
  /** `live` or `test` account at the provider. */
  readonly testMode: boolean;
  readonly grantedScopes: readonly string[];
  /** Other names of the account that deliveries may carry, such as the shop domain. */
  readonly aliases: readonly string[];
}

export type RateLimit =
  | {
      readonly kind: "requests";
      readonly name: string;
      readonly requests: number;
      readonly perSeconds: number;
      readonly scope: "app" | "connection";
    }
  | {
      readonly kind: "cost";
      readonly name: string;
      readonly capacity: number;
      readonly perSecond: number;
      readonly scope: "connection";
    }
  | {
      readonly kind: "concurrency";
      readonly name: string;
      readonly concurrent: number;
      readonly scope: "app" | "connection";
    };

/** A request relative to the account's base URL: the engine adds origin, version, credentials, deadline. */
export interface ProviderRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Safe to send twice: reads, and writes that the provider de-duplicates. */
  readonly idempotent: boolean;
  /** Estimated units of the provider's budget. */
  readonly cost: number;
}

export interface ProviderResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; integers beyond 2^53 are strings of digits. `null` for an empty body; text when it is not JSON. */
  readonly body: unknown;
}

export type ProviderFault =
  | { readonly kind: "reauthorize" }
  | { readonly kind: "missing_scope"; readonly scope: string | null }
  /** This request alone is answered 401, even with a fresh token that the account takes. Connectors never say it. */
  | { readonly kind: "refused" }
  | { readonly kind: "rate_limited"; readonly retryAfterSeconds: number | null }
  | { readonly kind: "too_large" }
  | { readonly kind: "gone" }
  | { readonly kind: "conflict" }
  | { readonly kind: "rejected"; readonly fields: readonly string[] }
  /** The account is closed for now, such as unpaid or locked. Its owner must act; asking again soon is of no use. */
  | { readonly kind: "suspended" }
  | { readonly kind: "unavailable" };

export interface BudgetObservation {
  readonly limit: number;
  readonly remaining: number;
  /** Units that come back per second. */
  readonly restorePerSecond: number;
  /** What this call was charged. */
  readonly cost: number;
}

/** What `normalize` may ask: ids of other records, known before those records are. */
export interface NormalizeContext {
  /** The deterministic edge id of another object of the same account. */
  id(model: ModelName, remoteId: string): string;
  /** ISO 4217 of the account, for fields that the provider gives without a currency. */
  readonly accountCurrency: string | null;
}

/** How a list walks: one request, its items, the next request. Sizes adapt in the engine through `PageSize`. */
export interface Resource {
  readonly name: string;
  readonly model: ModelName;
  /** Resource whose items carry these as children (variants of products, refunds of orders); `null`: listed itself. */
  readonly childOf: string | null;
  readonly raw: z.ZodType;
  /** Raised when `normalize` changes what it says of the same raw object. */
  readonly projectionVersion: number;
  readonly changes: "updated_since" | "full_scan";
  /** How deletions show. */
  readonly deletions: "webhook" | "diff_by_parent" | "full_scan" | "never";
  /** Seconds that an incremental run looks back before its cursor. */
  readonly overlapSeconds: number;
  /** `null` for children. */
  readonly list: PagedList | null;
  /** Reads several by id, for the fetcher. `null` for children: their parent is read. */
  readonly batchRead: BatchRead | null;
  /** A version that strictly rises with every change of the object; `null`: the read interval decides. */
  strictVersion(raw: unknown): bigint | null;
  /** Called only with what `raw` parsed. The objects of one item: its own record and its children's. */
  normalize(raw: never, context: NormalizeContext): readonly NormalizedRecord[];
  /** Models of children of one parent, complete in `normalize`: what is missing from a later answer was deleted. */
  readonly completeChildren: readonly ModelName[];
}

export interface PagedList {
  /** @param since only items changed at or after it; `null`: all */
  first(input: { readonly since: Date | null; readonly pageSize: number }): ProviderRequest;
  next(page: ProviderResponse, request: ProviderRequest): ProviderRequest | null;
  items(page: ProviderResponse): readonly unknown[];
  /** Changes the page size of a request whose cursor stays. */
  resize(request: ProviderRequest, pageSize: number): ProviderRequest;
  readonly pageSize: { readonly initial: number; readonly min: number; readonly max: number };
  /** How many there are, when the provider tells; `null`: it does not. */
  readonly count: { request(): ProviderRequest; parse(response: ProviderResponse): number | null } | null;
  /**
   * Further requests that complete an item whose children overflow their inline page, each to be walked to its end.
   * Asked again of the merged item, since a list read whole may hold new ones. Empty: complete.
   */
  expansions(item: unknown): readonly Expansion[];
}

/** One inline child list that goes on. The engine fetches pages and calls `merge` until `next` is `null`. */
export interface Expansion {
  readonly request: ProviderRequest;
  next(page: ProviderResponse, request: ProviderRequest): ProviderRequest | null;
  merge(item: unknown, page: ProviderResponse): unknown;
}

export interface BatchRead {
  readonly maxIds: number;
  request(remoteIds: readonly string[]): ProviderRequest;
  /** In any order; ids that are absent or `null` no longer exist. */
  parse(response: ProviderResponse): readonly { readonly remoteId: string; readonly item: unknown }[];
  expansions(item: unknown): readonly Expansion[];
}

export interface Webhooks {
  readonly signature: SignatureScheme;
  /** Headers worth keeping with the raw body, lower-case. */
  readonly keepHeaders: readonly string[];
  /**
   * Topics that the provider posts to one address of the app, entered in the app's settings there; their elements name
   * their account. Empty: none.
   */
  readonly appTopics: readonly string[];
  /** Topics to subscribe to for the models asked for. */
  topics(models: readonly ModelName[]): readonly string[];
  readonly subscriptions: {
    list(cursor: string | null): ProviderRequest;
    parseList(response: ProviderResponse): {
      readonly subscriptions: readonly { readonly remoteId: string; readonly topic: string; readonly uri: string }[];
      readonly nextCursor: string | null;
    };
    create(topic: string, uri: string): ProviderRequest;
    parseCreate(response: ProviderResponse): { readonly remoteId: string | null; readonly problem: string | null };
    remove(remoteId: string): ProviderRequest;
  };
  /** What a verified delivery says. `null`: its shape is not one we know; it is kept in quarantine. */
  parse(delivery: VerifiedDelivery): readonly ProviderChange[] | null;
}

declare const verified: unique symbol;
/** Only what the shared verifier let in becomes one. */
export interface VerifiedDelivery {
  readonly [verified]: true;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; integers beyond 2^53 are strings of digits. */
  readonly body: unknown;
}

/** What one element of a delivery hints at. */
export interface ProviderChange {
  /** Key of the account as the provider gives it; `null`: the source's own. */
  readonly accountKey: string | null;
  /** Equal for copies of the same delivery. */
  readonly dedupeKey: string;
  readonly topic: string;
  readonly hint:
    | { readonly kind: "changed" | "deleted"; readonly resource: string; readonly remoteId: string }
    | { readonly kind: "uninstalled" }
    | { readonly kind: "scopes_changed" }
    | { readonly kind: "privacy"; readonly request: "data_request" | "redact_customer" | "redact_account" }
    | { readonly kind: "ignored" }
    /** An element of a batch that is of no shape we know; the others count all the same. */
    | { readonly kind: "unreadable" };
}

/** Ties raw schema, model and `normalize` together: a wrong `normalize` does not compile. */
export function defineResource<Raw extends z.ZodType>(
  resource: Omit<Resource, "raw" | "normalize"> & {
    readonly raw: Raw;
    normalize(raw: z.output<Raw>, context: NormalizeContext): readonly NormalizedRecord[];
  },
): Resource {
  return resource;
}

export const defineConnector = <const C extends Connector>(connector: C): C => connector;
