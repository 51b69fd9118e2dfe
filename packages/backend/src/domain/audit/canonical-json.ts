/**
 * The one text of a JSON value: members sorted by the UTF-16 code units of their names, no white space, numbers and
 * texts as ECMAScript writes them.
 *
 * @see RFC 8785 (JSON Canonicalization Scheme)
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new Error("not a JSON value");
    return text;
  }
  const members = Object.entries(value)
    // Code units, as the RFC asks, not a locale's order.
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
