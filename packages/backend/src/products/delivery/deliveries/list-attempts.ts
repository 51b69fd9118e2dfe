import type { Attempt, AttemptId, DeliveryId, EndpointId, Page, WorkspaceId } from "@patchbay/shared";
import { and, desc, eq, lt } from "drizzle-orm";
import { decodeListCursor, encodeListCursor } from "../cursor.ts";
import type { DeliveryDeps } from "../deps.ts";
import { mustFindEndpoint } from "../endpoints/read-endpoints.ts";
import { attempts, deliveries } from "../tables.ts";
import { toApiAttempt } from "../to-api.ts";

export interface ListAttemptsInput {
  readonly workspaceId: WorkspaceId;
  readonly endpointId: EndpointId;
  readonly deliveryId?: DeliveryId | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** What was tried at an endpoint, newest first. @throws AppError `endpoint_not_found`, `invalid_cursor` */
export async function listAttempts(deps: Pick<DeliveryDeps, "app">, input: ListAttemptsInput): Promise<Page<Attempt>> {
  const { workspaceId, limit } = input;
  // The cursor's id came out of a row of ours, and is only compared.
  const before = input.cursor === undefined ? null : (decodeListCursor(workspaceId, input.cursor) as AttemptId);
  const rows = await deps.app.withWorkspace(workspaceId, async (tx) => {
    await mustFindEndpoint(tx, input);
    return tx
      .select({ attempt: attempts, signedWith: deliveries.signWith })
      .from(attempts)
      .innerJoin(deliveries, and(eq(deliveries.workspaceId, workspaceId), eq(deliveries.id, attempts.deliveryId)))
      .where(
        and(
          eq(attempts.workspaceId, workspaceId),
          eq(attempts.endpointId, input.endpointId),
          input.deliveryId === undefined ? undefined : eq(attempts.deliveryId, input.deliveryId),
          before === null ? undefined : lt(attempts.id, before),
        ),
      )
      .orderBy(desc(attempts.id))
      .limit(limit + 1);
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit;
  return {
    data: page.map((row) => toApiAttempt(row.attempt, row.signedWith)),
    hasMore,
    nextCursor: last === undefined || !hasMore ? null : encodeListCursor(workspaceId, last.attempt.id),
  };
}
