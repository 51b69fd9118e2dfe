import type { Hono } from "hono";
import type { KeyHealth } from "../../../domain/vault/index.ts";
import type { HttpEnv } from "../env.ts";

/**
 * `/livez`: the event loop turns. `/readyz`: the database answers, keys can be used, not draining; isolation was checked
 * at start. A key service that gives no answer is told and leaves the process ready: what is in memory serves on. So does
 * a restore that waits for its operator: reads and webhooks are served.
 */
export function mountHealth(
  app: Hono<HttpEnv>,
  deps: {
    readonly ping: () => Promise<void>;
    readonly keyHealth: () => Promise<KeyHealth>;
    readonly draining: () => boolean;
    readonly isHeld: () => boolean;
  },
): void {
  // Browsers ask for it on every page of ours; there is none.
  app.get("/favicon.ico", (c) => c.body(null, 204, { "cache-control": "public, max-age=86400" }));
  app.get("/livez", (c) => c.json({ status: "ok" }));
  app.get("/readyz", async (c) => {
    if (deps.draining()) return c.json({ status: "draining" }, 503);
    try {
      await deps.ping();
      const keys = await deps.keyHealth();
      const unusable = Object.values(keys).some((state) => state === "denied" || state === "wrong");
      if (unusable) return c.json({ status: "keys cannot be used", keys }, 503);
      return c.json({ status: deps.isHeld() ? "held after a restore" : "ok", keys });
    } catch (error) {
      c.get("log").warn({ error }, "not ready");
      return c.json({ status: "database unreachable" }, 503);
    }
  });
}
