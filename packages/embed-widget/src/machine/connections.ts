import type { Connection } from "@patchbay/shared";
import { withConnection } from "./authorize.ts";
import type { ConnectionVerb, Effect, State, Step } from "./state.ts";
import { go, stay } from "./step-result.ts";

export function manage(state: State, connectionId: string): Step {
  const known = state.connections.some((connection) => connection.id === connectionId);
  return go(state, known ? { name: "manage", connectionId, busy: null, failure: null } : { name: "list" });
}

export function connectionSeen(state: State, connection: Connection): Step {
  const { id: connectionId, latestRun: run } = connection;
  const before = state.connections.find((known) => known.id === connectionId)?.latestRun;
  const moved = run !== null && (before?.id !== run.id || before.done !== run.done || before.total !== run.total);
  const progress: Effect[] = [];
  if (moved) {
    const detail = { connectionId, done: run.done, ...(run.total === null ? {} : { total: run.total }) };
    progress.push({ type: "emit", event: { type: "sync-progress", detail } });
  }
  const { screen } = state;
  const settled = screen.name === "manage" && screen.connectionId === connectionId && screen.busy !== null;
  return go(
    { ...state, connections: withConnection(state.connections, connection) },
    settled ? { ...screen, busy: null } : screen,
    ...progress,
  );
}

export function changeConnection(state: State, verb: ConnectionVerb): Step {
  const { screen } = state;
  if ((screen.name !== "manage" && screen.name !== "disconnect") || screen.busy) return stay(state);
  const { connectionId } = screen;
  const busy: State["screen"] =
    screen.name === "manage" ? { ...screen, busy: verb, failure: null } : { ...screen, busy: true };
  return go(state, busy, { type: "change", connectionId, verb });
}

export function disconnected(state: State, connectionId: string): Step {
  const gone = state.connections.find((known) => known.id === connectionId);
  if (gone === undefined) return stay(state);
  const connections = state.connections.filter((known) => known !== gone);
  return go({ ...state, connections }, state.screen.name === "disconnect" ? { name: "list" } : state.screen, {
    type: "emit",
    event: { type: "disconnected", detail: { connectionId, provider: gone.provider } },
  });
}
