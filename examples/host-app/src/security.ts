import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";

/**
 * What these pages may load: their own files, and the widget with its API from Patchbay. Nothing inline, and no
 * strings turned into markup or code.
 */
export function pageHeaders(patchbayOrigin: string): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'", patchbayOrigin],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'", patchbayOrigin],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
    },
    // The widget opens the provider's consent page in a window, which tells it when it is done.
    crossOriginOpenerPolicy: "same-origin-allow-popups",
    referrerPolicy: "same-origin",
  });
}

/** Refuses what another site's page makes a browser send. */
export function sameOrigin(origin: string): MiddlewareHandler {
  return async function sameOrigin(c, next) {
    const from = c.req.header("origin");
    if (from !== undefined && from !== origin) return c.text("from another origin", 403);
    return next();
  };
}

/** Connect sessions are for one origin: brings people who typed 127.0.0.1 to localhost. */
export function localhostName(url: string): MiddlewareHandler {
  const isLocalhost = new URL(url).hostname === "localhost";
  return async function localhostName(c, next) {
    if (!isLocalhost || !c.req.header("host")?.startsWith("127.0.0.1")) return next();
    return c.redirect(url + c.req.path + new URL(c.req.url).search, 302);
  };
}
