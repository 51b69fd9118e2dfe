/** JSON values, with bigint for ids that a double cannot hold. */
export type Json = null | boolean | number | string | bigint | readonly Json[] | { readonly [key: string]: Json };

/** Like `JSON.stringify`, but writes a bigint as a number with all its digits. */
export function stringify(value: Json): string {
  if (typeof value === "bigint") return value.toString();
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(stringify).join(",")}]`;
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${stringify(member)}`);
  return `{${members.join(",")}}`;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
