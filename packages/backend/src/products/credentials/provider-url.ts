import type { ConnectionParams } from "../../connectors/kit/index.ts";

/**
 * A URL of the provider, or the same one of the sandbox that stands in for it: `override` takes the place of the
 * origin, with `{name}` filled from the connection's parameters, as in `http://localhost:4403/_shops/{shop}`.
 *
 * @param params pattern-checked by the connector
 * @throws Error when `override` names a parameter that the connection does not have
 */
export function providerUrl(url: string, override: string | null, params: ConnectionParams): string {
  if (override === null) return url;
  const { pathname, search } = new URL(url);
  const base = override.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined || !SEGMENT.test(value))
      throw new Error(`baseUrlOverride names {${name}}, which is not set`);
    return value;
  });
  return base.replace(/\/+$/, "") + pathname + search;
}

/** One path segment or host label, whatever the connector's own pattern lets pass. */
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
