import type { Authorization, ConnectBootstrap, Connection } from "@patchbay/shared";
import { describe, expect, test } from "vitest";
import {
  failureOf,
  initialState,
  type Effect,
  type Event,
  type Preset,
  type Resumption,
  type State,
  step,
  watched,
} from "./index.ts";

describe("the way to a connection", () => {
  test("goes from the list over the store address and the consent to the window", () => {
    const { state, effects } = after(
      loaded(),
      { type: "select", provider: "shopify" },
      { type: "submitParameters", values: { shop: "Acme" } },
    );
    expect(state.screen).toMatchObject({ name: "parameters", busy: true });
    expect(effects).toMatchObject([{ type: "resolve", parameters: { shop: "acme.myshopify.com" } }]);

    const agreed = after(state, { type: "resolved", serial: state.serial, parameters: { shop: "acme.myshopify.com" } });
    expect(agreed.state.screen).toMatchObject({ name: "consent", parameters: { shop: "acme.myshopify.com" } });

    const opened = after(agreed.state, authorize);
    expect(opened.effects).toEqual([{ type: "openWindow" }]);
    expect(opened.state.screen.name).toBe("waiting");
    expect(after(opened.state, { type: "windowOpened" }).effects).toMatchObject([{ type: "startAuthorization" }]);
  });

  test("sends window and memory on their way when the authorization is started", () => {
    const { state, effects } = waiting();
    expect(effects.map(typeOf)).toEqual(["authorization-started", "remember", "navigateWindow"]);
    expect(watched(state)).toEqual({ kind: "authorization", id: "auth_1" });
  });

  test("completes with verifier and code when the window sent one, once", () => {
    const { state, effects } = after(waiting().state, code);
    expect(effects).toEqual([{ type: "complete", authorizationId: "auth_1", verifier: "v", completionCode: "code" }]);
    expect(state.screen.name).toBe("finishing");
    expect(after(state, seen({ status: "exchanged" })).effects).toEqual([]);
  });

  test("completes with the verifier alone when the person confirmed in a window that was cut off", () => {
    const { state } = after(waiting().state, seen({ status: "exchanged" }));
    expect(state.screen).toMatchObject({ name: "waiting", confirm: true });
    expect(after(state, seen({ status: "confirmed" })).effects).toEqual([
      { type: "complete", authorizationId: "auth_1", verifier: "v", completionCode: null },
    ]);
  });

  test("ends with the connection, closes the window, forgets, and tells the host", () => {
    const { state, effects } = after(waiting().state, seen({ status: "completed", connection: aConnection() }));
    expect(state).toMatchObject({ completed: true, screen: { name: "success", connectionId: "conn_1" } });
    expect(effects.map(typeOf)).toEqual(["closeWindow", "remember", "connected"]);
    expect(watched(state)).toEqual({ kind: "connection", id: "conn_1", importing: false });
  });

  test("a connection that was known before is told as repaired", () => {
    const before = loaded({ connections: [aConnection({ status: "revoked" })] });
    const { effects } = after(waiting(before).state, seen({ status: "completed", connection: aConnection() }));
    expect(effects.map(typeOf)).toContain("reauthorized");
  });

  test("hands the proof in again when it is unknown whether it arrived", () => {
    const { state } = after(waiting().state, code);
    const complete: Effect = { type: "complete", authorizationId: "auth_1", verifier: "v", completionCode: "code" };
    const lost = after(state, failed(complete, "offline", true));
    expect(lost.state.screen.name).toBe("finishing");
    expect(after(lost.state, seen({ status: "exchanged" })).effects).toEqual([complete]);
  });
});

describe("the window", () => {
  test("that was blocked offers this tab, and starts nothing", () => {
    const { state, effects } = after(loaded(), authorize, { type: "windowBlocked" });
    expect(state.screen.name).toBe("blocked");
    expect(effects.map(typeOf)).toEqual(["popup-blocked"]);
    expect(after(state, { type: "continueHere" }).effects).toMatchObject([
      { type: "closeWindow" },
      { type: "remember", authorizationId: null },
      { type: "startAuthorization", flow: { display: "redirect" } },
    ]);
  });

  test("that seems closed never ends an authorization", () => {
    const { state, effects } = after(waiting().state, { type: "windowSeemsClosed", closed: true });
    expect(state.screen).toMatchObject({ name: "waiting", seemsClosed: true });
    expect(effects).toEqual([]);
    expect(watched(state)).not.toBeNull();
  });

  test("opened again gives the first authorization up", () => {
    expect(after(waiting().state, { type: "openAgain" }).effects.map(typeOf)).toEqual([
      "closeWindow",
      "remember",
      "cancelAuthorization",
      "openWindow",
    ]);
  });

  test("that opened before the session was known is used once it is", () => {
    const early = initialState({ ...preset, provider: "shopify", parameters: { shop: "acme" } }, null, true, "open");
    const { state, effects } = after(
      early,
      { type: "start", reason: "init" },
      { type: "sessionLoaded", session: session() },
    );
    expect(effects.map(typeOf)).toEqual(["open", "ready", "startAuthorization"]);
    expect(state.earlyWindow).toBe("none");
  });

  test("that opened early is closed when something has to be asked first", () => {
    const early = initialState({ ...preset, provider: "shopify", parameters: {} }, null, true, "open");
    const { state, effects } = after(early, { type: "sessionLoaded", session: session() });
    expect(effects.map(typeOf)).toContain("closeWindow");
    expect(state.screen.name).toBe("parameters");
  });
});

describe("answers that come too late", () => {
  test("an authorization that started after the person left is canceled", () => {
    const { state } = after(loaded(), authorize, { type: "windowOpened" }, { type: "cancel" });
    expect(after(state, { ...startedEvent, serial: 2 }).effects).toEqual([
      { type: "cancelAuthorization", authorizationId: "auth_1" },
    ]);
  });

  test.each<Event>([
    { type: "codeReceived", authorizationId: "auth_other", completionCode: "code" },
    { type: "timedOut", authorizationId: "auth_other" },
    { type: "authorizationSeen", authorization: anAuthorization({ id: "auth_other", status: "completed" }) },
    { type: "resolved", serial: -1, parameters: {} },
  ])("$type of another authorization changes nothing", (event) => {
    const { state } = waiting();
    expect(after(state, event)).toEqual({ state, effects: [] });
  });
});

describe("failures", () => {
  test.each([
    ["access_denied", "access_denied"],
    ["provider_timeout", "provider_unavailable"],
    ["something_new", "unknown"],
  ])("%s of the backend is told as %s, and leads straight back to the provider", (error, told) => {
    const { state, effects } = after(waiting().state, seen({ status: "failed", error }));
    expect(state.screen).toMatchObject({ name: "failed", failure: { code: told }, retry: { type: "authorize" } });
    expect(effects.map(typeOf)).toEqual(["closeWindow", "remember", "emitError"]);
  });

  test.each([
    ["invalid_shop", "format"],
    ["shop_not_found", "notFound"],
  ] as const)("%s is shown at the field, and keeps what was typed", (refusal, problem) => {
    const { state } = after(
      loaded(),
      { type: "select", provider: "shopify" },
      { type: "submitParameters", values: { shop: "acmee" } },
    );
    const resolve: Effect = { type: "resolve", serial: state.serial, provider: "shopify", parameters: { shop: "x" } };
    expect(after(state, failed(resolve, refusal)).state.screen).toMatchObject({
      name: "parameters",
      busy: false,
      values: { shop: "acmee" },
      problems: { shop: problem },
    });
  });

  test("names the account that is connected already when it can be only one", () => {
    const before = loaded({ connections: [aConnection()] });
    const { state } = after(waiting(before).state, code);
    const complete: Effect = { type: "complete", authorizationId: "auth_1", verifier: "v", completionCode: "code" };
    expect(after(state, failed(complete, "already_connected")).state.screen).toMatchObject({
      name: "failed",
      failure: { code: "already_connected", connection: { id: "conn_1" } },
    });
  });

  test("names the one of several accounts that the person signed in to", () => {
    const others = [aConnection(), aConnection({ id: "conn_2", accountName: "Acme Two" })];
    const failedSo = seen({ status: "failed", error: "already_connected", accountName: "Acme Two" });
    expect(after(waiting(loaded({ connections: others })).state, failedSo).state.screen).toMatchObject({
      failure: { connection: { id: "conn_2" } },
    });
  });

  test("an expired session takes an authorization under way up again", () => {
    const look: Effect = { type: "lookAtAuthorization", authorizationId: "auth_1" };
    const { state } = after(waiting().state, failed(look, "session_expired"));
    expect(state.screen).toMatchObject({ name: "failed", retry: { type: "start", reason: "expired" } });
    const again = after(state, { type: "start", reason: "expired" }, { type: "sessionLoaded", session: session() });
    expect(again.effects).toContainEqual(look);
    expect(again.state.screen).toMatchObject({ name: "finishing", flow: { verifier: "v" } });
  });

  test("each failure in a row waits longer, at most a minute, and seconds count down", () => {
    const load: Effect = { type: "loadSession", reason: "init" };
    let state = initialState(preset, null, true);
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      state = after(state, { type: "start", reason: "init" }, failed(load, "unknown")).state;
      waits.push(waitOf(state));
    }
    expect(waits).toEqual([0, 10, 20, 30, 40, 50, 60, 60, 60]);
    expect(waitOf(after(state, { type: "second" }).state)).toBe(59);
  });

  test("what failed offline is repeated when the browser is back", () => {
    const load: Effect = { type: "loadSession", reason: "init" };
    const offline = after(initialState(preset, null, true), { type: "offline" }, failed(load, "offline", true));
    expect(offline.state.screen.name).toBe("loading");
    expect(after(offline.state, { type: "online" }).effects).toEqual([load]);
  });

  test("ten minutes without an end are enough", () => {
    const { state } = after(waiting().state, { type: "timedOut", authorizationId: "auth_1" });
    expect(state.screen).toMatchObject({ name: "failed", failure: { code: "popup_timeout" } });
    expect(watched(state)).toBeNull();
  });
});

describe("an authorization of an earlier page", () => {
  test("that came back by redirect is completed with its code", () => {
    const { state, effects } = resumed({ completionCode: "code", quiet: false });
    expect(effects).toContainEqual({
      type: "complete",
      authorizationId: "auth_1",
      verifier: null,
      completionCode: "code",
    });
    expect(state.screen.name).toBe("finishing");
  });

  test("that was denied shows so, and asks for the store again", () => {
    const { state } = resumed({ completionCode: null, quiet: false });
    expect(after(state, seen({ status: "failed", error: "access_denied" })).state.screen).toMatchObject({
      name: "failed",
      failure: { code: "access_denied", provider: "shopify" },
      retry: { type: "select", provider: "shopify" },
    });
  });

  test("that is open after a reload is waited for, and completed once the person confirmed", () => {
    const { state } = resumed({ completionCode: null, quiet: true });
    const open = after(state, seen({ status: "started" }));
    expect(open.state.screen).toMatchObject({ name: "waiting", flow: { provider: "shopify" } });
    expect(after(open.state, seen({ status: "confirmed" })).effects).toEqual([
      { type: "complete", authorizationId: "auth_1", verifier: null, completionCode: null },
    ]);
  });

  test.each([
    seen({ status: "completed", connection: null }),
    seen({ status: "expired" }),
    seen({ status: "failed", error: "access_denied" }),
    failed({ type: "lookAtAuthorization", authorizationId: "auth_1" }, "popup_timeout"),
  ])("that is over after a reload is dropped without a word", (event) => {
    const { state, effects } = after(resumed({ completionCode: null, quiet: true }).state, event);
    expect(state.screen.name).toBe("list");
    expect(effects.map(typeOf)).toEqual(["closeWindow", "remember"]);
  });
});

describe("a connection", () => {
  const managed = after(loaded({ connections: [aConnection()] }), { type: "manage", connectionId: "conn_1" }).state;

  test("is disconnected only after a second yes, and leaves the list", () => {
    const asked = after(managed, { type: "askDisconnect" });
    expect(asked.effects).toEqual([]);
    const sure = after(asked.state, { type: "change", verb: "disconnect" });
    expect(sure.effects).toEqual([{ type: "change", connectionId: "conn_1", verb: "disconnect" }]);
    const gone = after(sure.state, { type: "disconnected", connectionId: "conn_1" });
    expect(gone.state).toMatchObject({ connections: [], screen: { name: "list" } });
    expect(gone.effects.map(typeOf)).toEqual(["disconnected"]);
  });

  test("is kept by going back", () => {
    const { state } = after(managed, { type: "askDisconnect" }, { type: "back" });
    expect(state.screen).toMatchObject({ name: "manage", connectionId: "conn_1" });
  });

  test("is changed by one wish at a time", () => {
    const once = after(managed, { type: "change", verb: "pause" });
    expect(once.effects).toHaveLength(1);
    expect(after(once.state, { type: "change", verb: "sync" }).effects).toEqual([]);
  });

  test("whose change failed is as before, and says so", () => {
    const { state } = after(managed, { type: "change", verb: "pause" });
    const change: Effect = { type: "change", connectionId: "conn_1", verb: "pause" };
    expect(after(state, failed(change, "unknown")).state.screen).toMatchObject({
      name: "manage",
      busy: null,
      failure: { code: "unknown" },
    });
  });

  test("tells progress when it moved, and only then", () => {
    const connection = aConnection({
      latestRun: { id: "run_2", kind: "initial", status: "running", done: 5, total: null },
    });
    const { state, effects } = after(managed, { type: "connectionSeen", connection });
    expect(effects).toEqual([
      { type: "emit", event: { type: "sync-progress", detail: { connectionId: "conn_1", done: 5 } } },
    ]);
    expect(after(state, { type: "connectionSeen", connection }).effects).toEqual([]);
    expect(watched(state)).toMatchObject({ importing: true });
  });

  test("that is not known leads to the list", () => {
    expect(after(loaded(), { type: "manage", connectionId: "conn_9" }).state.screen.name).toBe("list");
  });
});

const preset: Preset = { provider: null, parameters: null, connectionId: null, intent: "connect", display: "popup" };
const target = { provider: "shopify", parameters: { shop: "acme.myshopify.com" }, connectionId: null };
const authorize: Event = { type: "authorize", target, display: "popup" };
const startedEvent = {
  type: "started",
  serial: 2,
  authorizationId: "auth_1",
  startUrl: "https://api.example.com/oauth/start/t",
  verifier: "v",
} as const;
const code: Event = { type: "codeReceived", authorizationId: "auth_1", completionCode: "code" };

function after(
  state: State,
  ...events: readonly Event[]
): { readonly state: State; readonly effects: readonly Effect[] } {
  let result = { state, effects: [] as readonly Effect[] };
  for (const event of events) result = step(result.state, event);
  return result;
}

function loaded(changes: Partial<ConnectBootstrap> = {}): State {
  const started = after(initialState(preset, null, true), { type: "start", reason: "init" });
  return after(started.state, { type: "sessionLoaded", session: session(changes) }).state;
}

function waiting(before = loaded()): { readonly state: State; readonly effects: readonly Effect[] } {
  return after(before, authorize, { type: "windowOpened" }, { ...startedEvent, serial: before.serial + 1 });
}

function resumed(changes: Pick<Resumption, "completionCode" | "quiet">): ReturnType<typeof after> {
  const resumption: Resumption = { authorizationId: "auth_1", verifier: null, ...changes };
  return after(initialState(preset, resumption, true), { type: "sessionLoaded", session: session() });
}

function failed(effect: Effect, code: Parameters<typeof failureOf>[0], network = false): Event {
  return { type: "failed", effect, failure: failureOf(code, null), network };
}

function seen(changes: Partial<Authorization>): Event {
  return { type: "authorizationSeen", authorization: anAuthorization(changes) };
}

function anAuthorization(changes: Partial<Authorization>): Authorization {
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

function session(changes: Partial<ConnectBootstrap> = {}): ConnectBootstrap {
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

function aConnection(changes: Partial<Connection> = {}): Connection {
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
function typeOf(effect: Effect): string {
  return effect.type === "emit" ? effect.event.type : effect.type;
}

function waitOf({ screen }: State): number {
  return screen.name === "failed" ? screen.failure.retryAfterSeconds : -1;
}
