import type { ConnectionId, InboxEntry, InboxId, ModelName, TenantUid } from "@patchbay/shared";
import { createHash } from "node:crypto";
import type { Connector, ProviderChange } from "../../../connectors/kit/index.ts";
import type { DirtyHint } from "../fetcher/mark-dirty.ts";
import type { ArrivalProblem, ReadArrival } from "./read-arrivals.ts";
import { waitingFor } from "./waiting-for.ts";

/** A connection as far as routing cares. */
export interface RoutableConnection {
  readonly id: ConnectionId;
  readonly tenantUid: TenantUid;
  readonly provider: string;
  readonly accountId: string;
  readonly accountAliases: readonly string[];
  readonly models: readonly ModelName[];
  readonly ended: boolean;
}

/** Elements of one delivery. No provider sends more than a hundred at once; what does is kept for people to look at. */
const ELEMENTS_MAX = 10_000;

/** What became of one element of a delivery. */
export interface Outcome {
  readonly inboxId: InboxId;
  readonly receivedAt: Date;
  readonly element: number;
  readonly status: Exclude<InboxEntry["status"], "received">;
  readonly problem: ArrivalProblem | "account_mismatch" | null;
  readonly topic: string | null;
  readonly connection: Pick<RoutableConnection, "id" | "tenantUid"> | null;
  /** Of an unrouted element: what would route it. */
  readonly waitsFor: Buffer | null;
}

/** An element that was not seen before, and whom it concerns. */
export interface Element {
  readonly inboxId: InboxId;
  readonly receivedAt: Date;
  readonly provider: string;
  readonly change: ProviderChange;
  /** Live ones; for privacy requests ended ones too. */
  readonly connections: readonly RoutableConnection[];
}

export interface RoutePlan {
  readonly outcomes: readonly Outcome[];
  readonly dirty: readonly DirtyHint[];
  /** Work to put into the lanes of connections. */
  readonly tasks: readonly {
    readonly connection: RoutableConnection;
    readonly task: "fetch" | "checkAccount" | "confirmUninstall";
  }[];
  readonly privacy: readonly PrivacyHint[];
}
export interface PrivacyHint extends Element {
  readonly request: "data_request" | "redact_customer" | "redact_account";
}

/**
 * Decides what each element of each delivery leads to. Pure: what is known of connections and of copies seen before
 * is given.
 *
 * @param isNew called once per element, in order; `false`: a copy of an earlier one
 * @param isTold whether a privacy request of this element was passed on before
 */
export function planRoutes(
  arrivals: readonly ReadArrival[],
  known: readonly RoutableConnection[],
  isNew: (arrival: ReadArrival, change: ProviderChange, element: number) => boolean,
  connectorById: (provider: string) => Connector | null,
  isTold: (arrival: ReadArrival, element: number) => boolean = () => false,
): RoutePlan {
  const outcomes: Outcome[] = [];
  const dirty: DirtyHint[] = [];
  const tasks: RoutePlan["tasks"][number][] = [];
  const privacy: PrivacyHint[] = [];
  for (const arrival of arrivals) {
    const { inboxId, receivedAt, source, content } = arrival;
    const base = { inboxId, receivedAt, problem: null, topic: null, connection: null, waitsFor: null };
    const problem = "problem" in content ? content.problem : tooMany(content.changes);
    if ("problem" in content || problem !== null) {
      outcomes.push({ ...base, element: 0, status: "quarantined", problem });
      continue;
    }
    if (content.changes.length === 0) outcomes.push({ ...base, element: 0, status: "ignored" });
    content.changes.forEach((change, element) => {
      const { hint } = change;
      const topic = isStorable(change.topic) ? change.topic : null;
      if (!isNew(arrival, change, element)) {
        outcomes.push({ ...base, element, topic, status: "duplicate" });
        return;
      }
      if (hint.kind === "ignored") {
        outcomes.push({ ...base, element, topic, status: "ignored" });
        return;
      }
      if (hint.kind === "unreadable" || topic === null || ("remoteId" in hint && !isStorable(hint.remoteId))) {
        outcomes.push({ ...base, element, topic, status: "quarantined", problem: "unknown_shape" });
        return;
      }
      const concerned = connectionsOf(arrival, change, known);
      if (hint.kind === "privacy") {
        const connections = concerned === "mismatch" ? [] : concerned;
        if (!isTold(arrival, element)) {
          privacy.push({ inboxId, receivedAt, provider: source.provider, change, connections, request: hint.request });
        }
        outcomes.push({ ...base, element, topic, status: "routed", connection: connections[0] ?? null });
        return;
      }
      const live = concerned === "mismatch" ? [] : concerned.filter((connection) => !connection.ended);
      if (live.length === 0) {
        const problem = concerned === "mismatch" ? "account_mismatch" : null;
        const waitsFor = concerned === "mismatch" ? null : waitingFor(source, change.accountKey);
        outcomes.push({ ...base, element, topic, status: "unrouted", problem, waitsFor });
        return;
      }
      let wanted = false;
      for (const connection of live) {
        if (hint.kind === "uninstalled" || hint.kind === "scopes_changed") {
          tasks.push({ connection, task: hint.kind === "uninstalled" ? "confirmUninstall" : "checkAccount" });
          wanted = true;
          continue;
        }
        if (!wantsResource(connectorById(source.provider), hint.resource, connection.models)) continue;
        const { resource, remoteId } = hint;
        dirty.push({ connectionId: connection.id, resource, remoteId, deleted: hint.kind === "deleted" });
        tasks.push({ connection, task: "fetch" });
        wanted = true;
      }
      outcomes.push({ ...base, element, topic, status: wanted ? "routed" : "ignored", connection: live[0] ?? null });
    });
  }
  return { outcomes, dirty, tasks, privacy };
}

/** 128 bits tell deliveries apart; providers' own keys may have any length. */
export function dedupeKey(key: string): Buffer {
  return createHash("sha256").update(key).digest().subarray(0, 16);
}

/** Longer than any provider's names and ids, and short enough for an index. */
const NAME_LENGTH_MAX = 500;

/** A text that Postgres takes: one that it does not would take the whole delivery along. */
function isStorable(text: string): boolean {
  return text.length <= NAME_LENGTH_MAX && !text.includes("\0") && text.isWellFormed();
}

function tooMany(changes: readonly ProviderChange[]): "too_many_elements" | null {
  return changes.length > ELEMENTS_MAX ? "too_many_elements" : null;
}

/**
 * A source of a connection speaks for its account alone: a delivery that names another one is not believed. A source
 * of an app speaks for every connection of the account named.
 */
function connectionsOf(
  arrival: ReadArrival,
  change: ProviderChange,
  known: readonly RoutableConnection[],
): readonly RoutableConnection[] | "mismatch" {
  const { source } = arrival;
  const { accountKey } = change;
  const isAccount = (connection: RoutableConnection) =>
    accountKey === null || connection.accountId === accountKey || connection.accountAliases.includes(accountKey);
  if (source.connectionId === null) {
    if (accountKey === null) return [];
    return known.filter((connection) => connection.provider === source.provider && isAccount(connection));
  }
  const own = known.filter((connection) => connection.id === source.connectionId);
  return own.length > 0 && !own.every(isAccount) ? "mismatch" : own;
}

/** Whether the connection keeps what a read of the resource gives: its own model or a child's. */
function wantsResource(connector: Connector | null, name: string, models: readonly ModelName[]): boolean {
  const resource = connector?.resources[name];
  if (!connector || !resource?.batchRead) return false;
  const given = [resource, ...Object.values(connector.resources).filter((child) => child.childOf === name)];
  return given.some(({ model }) => models.includes(model));
}
