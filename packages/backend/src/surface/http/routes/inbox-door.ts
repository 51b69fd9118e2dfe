import { AppError } from "@patchbay/shared";
import type { Hono } from "hono";
import type { Clock } from "../../../platform/runtime/index.ts";
import { BODY_BYTES_MAX, decodeSource, type Ingest } from "../../../products/ingest/index.ts";
import type { HttpEnv } from "../env.ts";
import { readBody } from "../middleware/body-guard.ts";

/**
 * `POST /in/{provider}/{source}`: where providers deliver. 200 once the delivery is on disk; 401 for a wrong
 * signature; 503 with `Retry-After` when full. The path's ids are a hint until the signature was checked.
 */
export function mountInboxDoor(
  app: Hono<HttpEnv>,
  deps: { readonly ingest: Pick<Ingest, "admit" | "accept">; readonly clock: Clock },
): void {
  app.post("/in/:provider/:source", async (c) => {
    const ids = decodeSource(c.req.param("source"));
    if (ids === null) throw new AppError("not_found", "nothing receives at this address");
    const provider = c.req.param("provider");
    const length = c.req.header("content-length");
    const leave = await deps.ingest.admit({ ...ids, provider, bytes: length === undefined ? null : Number(length) });
    try {
      const rawBody = await readBody(c.req.raw, BODY_BYTES_MAX);
      const headers = Object.fromEntries(c.req.raw.headers);
      await deps.ingest.accept({ ...ids, provider, headers, rawBody, receivedAt: deps.clock.now() });
    } finally {
      leave();
    }
    return c.body(null, 200);
  });
}
