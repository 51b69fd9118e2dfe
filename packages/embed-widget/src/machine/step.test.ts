import { describe, expect, test } from "vitest";
import { initialState, watched, type Effect, type Event } from "./index.ts";
import {
  aConnection,
  after,
  anAuthorization,
  authorize,
  code,
  failed,
  loaded,
  preset,
  resumed,
  seen,
  session,
  startedEvent,
  typeOf,
  waiting,
} from "./testing.ts";

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
