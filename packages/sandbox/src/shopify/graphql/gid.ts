/** `gid://shopify/Order/123?x=y` → its type and number; null when it is no such id. */
export function parseGid(
  gid: string,
): { readonly type: string; readonly id: bigint; readonly query: URLSearchParams } | null {
  const match = /^gid:\/\/shopify\/([A-Za-z]{2,60})\/(\d{1,20})(?:\?(.*))?$/.exec(gid);
  if (!match?.[1] || !match[2]) return null;
  return { type: match[1], id: BigInt(match[2]), query: new URLSearchParams(match[3] ?? "") };
}

/** The number of a gid of this type, or of a bare number. */
export function idOf(type: string, gid: string): bigint | null {
  if (/^\d{1,20}$/.test(gid)) return BigInt(gid);
  const parsed = parseGid(gid);
  return parsed?.type === type ? parsed.id : null;
}
