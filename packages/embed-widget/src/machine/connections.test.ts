import { describe, expect, test } from "vitest";
import { watched, type Effect } from "./index.ts";
import { aConnection, after, failed, loaded, typeOf } from "./testing.ts";

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
