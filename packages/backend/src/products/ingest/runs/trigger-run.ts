import { AppError, type ModelName, type Run, type RunId, type TenantUid } from "@patchbay/shared";
import { loadConnection, type ConnectionRow } from "../../../domain/connections/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { submit } from "../../../platform/lanes/index.ts";
import type { ConnectionRef, IngestDeps } from "../deps.ts";
import { runItem } from "../tasks.ts";
import { insertRun } from "./insert-run.ts";

export interface TriggerRunInput extends ConnectionRef {
  readonly kind: Extract<Run["kind"], "manual" | "incremental" | "initial" | "reconcile">;
  readonly mode: "incremental" | "full";
  /** Default: all of the connection. */
  readonly models?: readonly ModelName[] | undefined;
  /** Set for a caller who may see this tenant alone. */
  readonly tenantUid?: TenantUid | undefined;
}

/**
 * Queues a run. A connection has one open run at a time: while there is one, its id is the answer.
 *
 * @throws AppError `connection_not_found`, `connection_paused`, `reauthorization_required`, `connection_not_active`,
 *   `invalid_request` for a model that the connection was not made for
 */
export async function triggerRun(
  deps: Pick<IngestDeps, "app" | "clock" | "wake">,
  input: TriggerRunInput,
): Promise<{ readonly runId: RunId; readonly alreadyQueued: boolean }> {
  const { workspaceId, connectionId, kind, mode } = input;
  const trigger = async (tx: Tx) => {
    const row = await loadConnection(tx, workspaceId, connectionId);
    requireActive(row);
    const models = input.models ?? row.models;
    const unknown = models.find((model) => !row.models.includes(model));
    if (unknown !== undefined) {
      throw new AppError("invalid_request", `the connection has no model "${unknown}"; connect again to add it`);
    }
    const owner = { workspaceId, tenantUid: row.tenantUid, connectionId };
    const now = deps.clock.now();
    const made = await insertRun(tx, owner, { kind, mode, models, now });
    if (!made.alreadyQueued) await submit(tx, [runItem(owner, made.runId, now)]);
    return made;
  };
  const { app } = deps;
  const triggered = await (input.tenantUid === undefined
    ? app.withWorkspace(workspaceId, trigger)
    : app.withTenant(workspaceId, input.tenantUid, trigger));
  deps.wake.poke("lanes:connection");
  return triggered;
}

function requireActive({ status }: ConnectionRow): void {
  if (status === "active") return;
  if (status === "paused") throw new AppError("connection_paused", "the connection is paused; resume it first");
  if (status === "reauthorizationRequired") {
    throw new AppError("reauthorization_required", "the end user must connect the account again");
  }
  throw new AppError("connection_not_active", `a connection that is ${status} cannot run`);
}
