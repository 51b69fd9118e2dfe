/**
 * True when the URI is one of the app's, or matches one of its patterns: `http://localhost:*` allows any port and path,
 * `http://*.localhost:*` any subdomain too.
 */
export function allowsRedirect(registered: readonly string[], uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const url = new URL(uri);
  return registered.some((pattern) => (pattern.includes("*") ? matches(pattern, url) : pattern === uri));
}

function matches(pattern: string, url: URL): boolean {
  const match = /^(https?:)\/\/(\*\.)?([^:/*]+)(:\*)?$/.exec(pattern);
  if (!match || match[1] !== url.protocol) return false;
  const host = match[3] ?? "";
  if (!match[4] && url.port !== "") return false;
  return match[2] ? url.hostname.endsWith(`.${host}`) : url.hostname === host;
}
