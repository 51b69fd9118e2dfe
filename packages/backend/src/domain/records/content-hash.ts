import { createHash } from "node:crypto";

/** Moves without the content moving: a change of it alone is no change of the record. */
const VOLATILE_FIELDS: ReadonlySet<string> = new Set(["remoteUpdatedAt"]);

/** SHA-256 of the fields in canonical form: equal content has an equal hash, whatever the order of its keys. */
export function contentHash(data: Readonly<Record<string, unknown>>): Uint8Array {
  const kept = Object.fromEntries(Object.entries(data).filter(([name]) => !VOLATILE_FIELDS.has(name)));
  return createHash("sha256").update(canonicalJson(kept)).digest();
}

/** Names of the top-level fields whose content differs, sorted. */
export function changedFields(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => !VOLATILE_FIELDS.has(name) && canonicalJson(before[name]) !== canonicalJson(after[name]))
    .sort();
}

/** JSON with keys in code-point order and without absent members. */
export function canonicalJson(value: unknown): string {
  if (value === undefined) return "null";
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
