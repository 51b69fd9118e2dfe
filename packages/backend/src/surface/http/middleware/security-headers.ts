import type { MiddlewareHandler } from "hono";
import type { HttpEnv } from "../env.ts";

/** On every answer; pages set their own content security policy. @param publicUrl says whether browsers come by TLS */
export function securityHeaders(deps: { readonly publicUrl: string }): MiddlewareHandler<HttpEnv> {
  // The request's own scheme says nothing: TLS usually ends at a proxy before us.
  const tls = deps.publicUrl.startsWith("https:");
  return async function securityHeaders(c, next) {
    await next();
    const { headers } = c.res;
    headers.set("x-content-type-options", "nosniff");
    if (!headers.has("referrer-policy")) headers.set("referrer-policy", "no-referrer");
    if (!headers.has("content-security-policy")) {
      headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    }
    if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
    if (tls) headers.set("strict-transport-security", "max-age=31536000; includeSubDomains");
  };
}
