/** What the tests of the machine begin with. */
import type { Authorization, ConnectBootstrap, Connection } from "@patchbay/shared";
import {
  failureOf,
  initialState,
  type Effect,
  type Event,
  type Preset,
  type Resumption,
  type State,
  step,
} from "./index.ts";

export const preset: Preset = {
  provider: null,
  parameters: null,
  connectionId: null,
  intent: "connect",
  display: "popup",
};
const target = { provider: "shopify", parameters: { shop: "acme.myshopify.com" }, connectionId: null };
export const authorize: Event = { type: "authorize", target, display: "popup" };
export const startedEvent = {
  type: "started",
  serial: 2,
  authorizationId: "auth_1",
  startUrl: "https://api.example.com/oauth/start/t",
  verifier: "v",
} as const;
export const code: Event = { type: "codeReceived", authorizationId: "auth_1", completionCode: "code" };

export function after(
  state: State,
  ...events: readonly Event[]
): { readonly state: State; readonly effects: readonly Effect[] } {
  let result = { state, effects: [] as readonly Effect[] };
  for (const event of events) result = step(result.state, event);
  return result;
}

export function loaded(changes: Partial<ConnectBootstrap> = {}): State {
  const started = after(initialState(preset, null, true), { type: "start", reason: "init" });
  return after(started.state, { type: "sessionLoaded", session: session(changes) }).state;
}

export function waiting(before = loaded()): { readonly state: State; readonly effects: readonly Effect[] } {
  return after(before, authorize, { type: "windowOpened" }, { ...startedEvent, serial: before.serial + 1 });
}

export function resumed(changes: Pick<Resumption, "completionCode" | "quiet">): ReturnType<typeof after> {
  const resumption: Resumption = { authorizationId: "auth_1", verifier: null, ...changes };
  return after(initialState(preset, resumption, true), { type: "sessionLoaded", session: session() });
}

export function failed(effect: Effect, code: Parameters<typeof failureOf>[0], network = false): Event {
  return { type: "failed", effect, failure: failureOf(code, null), network };
}

export function seen(changes: Partial<Authorization>): Event {
  return { type: "authorizationSeen", authorization: anAuthorization(changes) };
}

export function anAuthorization(changes: Partial<Authorization>): Authorization {
  return {
    id: "auth_1",
    provider: "shopify",
    status: "created",
    error: null,
    accountName: "Acme",
    connection: null,
    missingScopes: [],
    expiresAt: "2030-01-01T00:00:00Z",
    ...changes,
  };
}

export function session(changes: Partial<ConnectBootstrap> = {}): ConnectBootstrap {
  return {
    sessionId: "cs_1",
    hostName: "Northwind",
    mode: "test",
    endUser: { id: "user_1", label: null, email: null },
    permissions: ["connect"],
    locale: null,
    expiresAt: "2030-01-01T00:00:00Z",
    providers: [
      {
        id: "shopify",
        name: "Shopify",
        models: ["order"],
        parameters: [{ name: "shop", label: "Store", hint: "", suffix: ".myshopify.com", example: "acme" }],
      },
    ],
    connections: [],
    ...changes,
  };
}

export function aConnection(changes: Partial<Connection> = {}): Connection {
  return {
    id: "conn_1",
    tenantId: "acme",
    provider: "shopify",
    providerAccountId: "1",
    accountName: "Acme",
    accountUrl: null,
    mode: "test",
    status: "active",
    health: "ok",
    statusReason: null,
    models: ["order"],
    grantedScopes: [],
    createdAt: "2026-11-20T10:00:00Z",
    activatedAt: "2026-11-20T10:00:00Z",
    lastSyncedAt: "2026-11-20T11:00:00Z",
    latestRun: null,
    ...changes,
  };
}

/** An effect's type; of an emitted event, the event's. */
export function typeOf(effect: Effect): string {
  return effect.type === "emit" ? effect.event.type : effect.type;
}
