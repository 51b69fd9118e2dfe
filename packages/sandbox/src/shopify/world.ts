import { randomUUID } from "node:crypto";
import type { Catalog } from "./model.ts";
import { PROFILES } from "./seed/profiles.ts";
import { DEFAULT_SIZES, seedCatalog, type SeedSizes } from "./seed/index.ts";
import { dice, type Dice, type Emit, type Store, wholeSeconds } from "./store.ts";

/** A partner's app, as registered with Shopify. */
export interface AppRegistration {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly title: string;
  /** Exact URIs; `*` stands for a port, or for the labels before `.localhost`. */
  readonly redirectUris: readonly string[];
  /** Where `customers/data_request`, `customers/redact` and `shop/redact` go. */
  readonly complianceUrl: string | null;
  /** Stores of the app's own organization, where client credentials work; null: every store. */
  readonly ownShops: readonly string[] | null;
}

export interface AccessToken {
  readonly value: string;
  readonly kind: "offline" | "online";
  readonly scopes: readonly string[];
  /** Null: lives until the app is uninstalled. */
  readonly expiresAt: Date | null;
}

export interface RefreshToken {
  readonly value: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Date;
  /** The token this one was obtained with, until either is used up. */
  readonly predecessor: string | null;
  firstUsedAt: Date | null;
}

/** An app in a store. */
export interface Install {
  readonly clientId: string;
  readonly id: bigint;
  scopes: readonly string[];
  accessTokens: AccessToken[];
  refreshTokens: RefreshToken[];
}

export interface AuthorizationCode {
  readonly value: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly online: boolean;
  readonly issuedAt: Date;
  used: boolean;
}

export interface Subscription {
  readonly id: bigint;
  readonly clientId: string;
  /** `orders/create` */
  readonly topic: string;
  /** `ORDERS_CREATE` */
  readonly topicEnum: string;
  uri: string;
  format: string;
  filter: string | null;
  includeFields: readonly string[];
  metafieldNamespaces: readonly string[];
  name: string | null;
  readonly apiVersion: string;
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface Attempt {
  readonly at: Date;
  readonly status: number | null;
  readonly error: string | null;
  readonly elapsedMs: number;
}

export interface Delivery {
  readonly webhookId: string;
  readonly eventId: string;
  readonly topic: string;
  readonly clientId: string;
  /** Null for compliance topics, which belong to the app. */
  readonly subscriptionId: bigint | null;
  readonly url: string;
  readonly apiVersion: string;
  readonly body: string;
  readonly triggeredAt: Date;
  readonly attempts: Attempt[];
  nextAttemptAt: Date | null;
  state: "delivered" | "failed" | "held" | "waiting";
}

export interface BulkOperation {
  readonly id: bigint;
  readonly clientId: string;
  readonly query: string;
  readonly createdAt: Date;
  status: "CANCELED" | "COMPLETED" | "CREATED" | "FAILED" | "RUNNING";
  completedAt: Date | null;
  result: { readonly jsonl: string; readonly objects: number; readonly roots: number } | null;
  errorCode: "ACCESS_DENIED" | "INTERNAL_SERVER_ERROR" | null;
}

/** What the store does wrong on purpose, and which of Shopify's data rules are in force. */
export interface Switches {
  latencyMs: number;
  failNext: { status: 429 | 500 | 502; count: number };
  dropNext: number;
  throttleNext: number;
  /** Extra copies of each webhook. */
  duplicates: number;
  disorder: boolean;
  hold: boolean;
  /** Orders older than 60 days need `read_all_orders`. */
  sixtyDayWindow: boolean;
  /** Off: names, addresses, e-mails and phones come back null, as for an app without approval. */
  protectedData: boolean;
}

export interface ShopState {
  readonly catalog: Catalog;
  readonly installs: Map<string, Install>;
  readonly codes: Map<string, AuthorizationCode>;
  readonly subscriptions: Map<bigint, Subscription>;
  readonly bulkOperations: Map<bigint, BulkOperation>;
  /** `@idempotent` keys with the fingerprint of their input and the ids of what they made. */
  readonly idempotency: Map<string, { readonly fingerprint: string; readonly resultId: bigint; readonly at: Date }>;
  readonly deliveries: Delivery[];
  readonly redactDue: { readonly clientId: string; readonly at: Date }[];
  switches: Switches;
}

export interface WorldState {
  readonly apps: Map<string, AppRegistration>;
  readonly shops: Map<string, ShopState>;
}

export interface Clock {
  now(): Date;
}

/** Everything a part of the emulator may reach for. */
export interface World {
  readonly state: WorldState;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly log: (line: string) => void;
}

export const DEFAULT_APP: AppRegistration = {
  clientId: "sandbox-app",
  clientSecret: "sandbox-secret-0001",
  title: "Sandbox app",
  redirectUris: [
    "http://localhost:*",
    "http://127.0.0.1:*",
    "http://*.localhost:*",
    "https://localhost:*",
    "https://*.localhost:*",
  ],
  complianceUrl: null,
  ownShops: null,
};

export const CALM: Switches = {
  latencyMs: 0,
  failNext: { status: 500, count: 0 },
  dropNext: 0,
  throttleNext: 0,
  duplicates: 0,
  disorder: false,
  hold: false,
  sixtyDayWindow: true,
  protectedData: true,
};

export function newWorldState(options: {
  readonly seed: number;
  readonly sizes: Partial<SeedSizes>;
  readonly today: Date;
}): WorldState {
  const sizes = { ...DEFAULT_SIZES, ...options.sizes };
  const shops = PROFILES.map((profile, index): [string, ShopState] => [
    profile.domain,
    {
      catalog: seedCatalog(profile, sizes, options.seed * 31 + index, options.today),
      installs: new Map(),
      codes: new Map(),
      subscriptions: new Map(),
      bulkOperations: new Map(),
      idempotency: new Map(),
      deliveries: [],
      redactDue: [],
      switches: structuredClone(CALM),
    },
  ]);
  return { apps: new Map([[DEFAULT_APP.clientId, DEFAULT_APP]]), shops: new Map(shops) };
}

/** Accepts `acme-goods` and `acme-goods.myshopify.com`. */
export function findShop(state: WorldState, name: string): ShopState | undefined {
  const domain = name.toLowerCase();
  return state.shops.get(domain.endsWith(".myshopify.com") ? domain : `${domain}.myshopify.com`);
}

export function storeOf(world: World, shop: ShopState, emit: Emit): Store {
  return { catalog: shop.catalog, dice: world.dice, now: () => wholeSeconds(world.clock.now()), emit };
}

export function newDice(seed: number): Dice {
  return dice(seed ^ 0x5eed);
}

export function newUuid(): string {
  return randomUUID();
}
