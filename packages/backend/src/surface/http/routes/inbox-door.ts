import { AppError, decodeUuid, type SourceId, type WorkspaceId } from "@patchbay/shared";
import type { Hono } from "hono";
import type { HttpEnv } from "../env.ts";
import { readBody } from "../middleware/body-guard.ts";

export const INBOX_BODY_BYTES_MAX = 5 * 1024 * 1024;

/** One delivery as it arrived: nothing of it was looked at yet. */
export interface ArrivedDelivery {
  readonly workspaceId: WorkspaceId;
  readonly sourceId: SourceId;
  readonly provider: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: Uint8Array;
}

/**
 * `POST /in/{provider}/{source}`: where providers deliver. 200 once the delivery is on disk; 401 for a wrong
 * signature; 503 with `Retry-After` when full. The path's ids are a hint until the signature was checked.
 */
export function mountInboxDoor(
  app: Hono<HttpEnv>,
  deps: { readonly accept: (delivery: ArrivedDelivery) => Promise<unknown> },
): void {
  app.post("/in/:provider/:source", async (c) => {
    const ids = parseSource(c.req.param("source"));
    if (ids === null) throw new AppError("not_found", "nothing receives at this address");
    const rawBody = await readBody(c.req.raw, INBOX_BODY_BYTES_MAX);
    const headers = Object.fromEntries(c.req.raw.headers);
    await deps.accept({ ...ids, provider: c.req.param("provider"), headers, rawBody });
    return c.body(null, 200);
  });
}

/** `src_<source><workspace>` with an underscore between: the address that a provider posts to. */
function parseSource(text: string): Pick<ArrivedDelivery, "sourceId" | "workspaceId"> | null {
  const match = /^src_([0-9a-z]{26})_([0-9a-z]{26})$/.exec(text);
  const sourceId = decodeUuid(match?.[1] ?? "");
  const workspaceId = decodeUuid(match?.[2] ?? "");
  if (sourceId === null || workspaceId === null) return null;
  return { sourceId: sourceId as SourceId, workspaceId: workspaceId as WorkspaceId };
}
