import type { Hono } from "hono";
import type { HttpEnv } from "../env.ts";

/** `/livez`: the event loop turns. `/readyz`: the database answers, isolation and keys were checked, not draining. */
export function mountHealth(
  app: Hono<HttpEnv>,
  deps: { readonly ping: () => Promise<void>; readonly draining: () => boolean },
): void {
  // Browsers ask for it on every page of ours; there is none.
  app.get("/favicon.ico", (c) => c.body(null, 204, { "cache-control": "public, max-age=86400" }));
  app.get("/livez", (c) => c.json({ status: "ok" }));
  app.get("/readyz", async (c) => {
    if (deps.draining()) return c.json({ status: "draining" }, 503);
    try {
      await deps.ping();
      return c.json({ status: "ok" });
    } catch (error) {
      c.get("log").warn({ error }, "not ready");
      return c.json({ status: "database unreachable" }, 503);
    }
  });
}
