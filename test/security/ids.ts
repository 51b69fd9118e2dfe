const PREFIXES = "ws|key|ten|usr|papp|conn|cs|auth|run|src|inb|evt|we|dlv|att|era|irp|drp|acct|cus|prod|var|ord|ref";
const EDGE_ID = new RegExp(`\\b(?:${PREFIXES})_[0-7][0-9a-hjkmnp-tv-z]{25}\\b`, "g");
const SUFFIX = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** Every id in its edge form that a text holds. */
export function edgeIdsIn(text: string): ReadonlySet<string> {
  return new Set(text.match(EDGE_ID) ?? []);
}

/**
 * A value that nobody was ever given and that nothing but a look-up tells from `text`: same form, same time, same
 * place in every order. Cursors are opened, and every id inside is replaced.
 */
export function unknownTwin(text: string): string {
  const inside = parseJson(Buffer.from(text, "base64url").toString());
  if (Array.isArray(inside)) {
    const twins = inside.map((value: unknown) => (typeof value === "string" ? twinOfId(value) : value));
    return Buffer.from(JSON.stringify(twins)).toString("base64url");
  }
  return twinOfId(text);
}

/** What an answer says apart from which request it answers: its id, its nonces, the id it was asked for. */
export function comparable(text: string, asked: string, options: { readonly newIds: boolean }): string {
  const plain = text
    .replaceAll(asked, "«asked»")
    .replaceAll(encodeURIComponent(asked), "«asked»")
    .replaceAll(/req_[0-9a-f]{32}/g, "«request»")
    .replaceAll(/nonce="[^"]+"/g, "«nonce»");
  if (!options.newIds) return plain;
  return plain
    .replaceAll(EDGE_ID, "«id»")
    .replaceAll(INSTANT, "«time»")
    .replaceAll(/cst_test_[A-Za-z0-9_-]{69}/g, "«token»")
    .replaceAll(/\/oauth\/start\/[A-Za-z0-9_-]+/g, "«ticket»");
}

function twinOfId(text: string): string {
  const isId = SUFFIX.test(text) || UUID.test(text) || edgeIdsIn(text).has(text);
  if (isId) return text.slice(0, -4) + (text.endsWith("0000") ? "1111" : "0000");
  return /^\d+$/.test(text) ? text : `${text}-zz`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
