import { describe, expect, test } from "vitest";
import { initialState, watched, type Effect, type State } from "./index.ts";
import { aConnection, after, code, failed, loaded, preset, seen, session, typeOf, waiting } from "./testing.ts";

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

function waitOf({ screen }: State): number {
  return screen.name === "failed" ? screen.failure.retryAfterSeconds : -1;
}
