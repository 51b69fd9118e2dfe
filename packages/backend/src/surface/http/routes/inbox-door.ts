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
  deps: { readonly ingest: Pick<Ingest, "accept">; readonly clock: Clock },
): void {
  app.post("/in/:provider/:source", async (c) => {
    const ids = decodeSource(c.req.param("source"));
    if (ids === null) throw new AppError("not_found", "nothing receives at this address");
    const rawBody = await readBody(c.req.raw, BODY_BYTES_MAX);
    const headers = Object.fromEntries(c.req.raw.headers);
    const provider = c.req.param("provider");
    await deps.ingest.accept({ ...ids, provider, headers, rawBody, receivedAt: deps.clock.now() });
    return c.body(null, 200);
  });
}
