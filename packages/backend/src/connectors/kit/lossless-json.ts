/** Nesting that any honest body stays far below. */
export const JSON_DEPTH_MAX = 64;

export type ParsedJson = { readonly value: unknown } | { readonly problem: "not_json" | "too_deep" };

/**
 * Parses JSON without losing digits: an integer beyond 2^53 becomes its digits as a string, as does a number that a
 * double cannot hold at all. Depth is checked before the parse, since what parses may still overflow the stack of
 * whoever walks it.
 *
 * @param input bytes must be UTF-8; others are not JSON (RFC 8259, 8.1)
 */
export function parseJson(input: string | Uint8Array, options: { readonly maxDepth?: number } = {}): ParsedJson {
  const text = typeof input === "string" ? input : decodeUtf8(input);
  if (text === null) return { problem: "not_json" };
  if (isDeeperThan(text, options.maxDepth ?? JSON_DEPTH_MAX)) return { problem: "too_deep" };
  try {
    return { value: MAY_LOSE_DIGITS.test(text) ? JSON.parse(text, keepDigits as Reviver) : JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: "not_json" };
    throw error;
  }
}

/** 16 digits in a row or an exponent: only then is the slower, reviving parse needed. */
const MAY_LOSE_DIGITS = /\d{16}|\d[eE]/;

// The library's types do not know the third argument yet; engines pass it since V8 11.4.
type Reviver = (this: unknown, key: string, value: unknown) => unknown;

function keepDigits(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== "number" || context.source === undefined) return value;
  if (!Number.isFinite(value)) return context.source;
  return /^-?\d+$/.test(context.source) && !Number.isSafeInteger(value) ? context.source : value;
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Counts brackets outside strings. */
function isDeeperThan(text: string, maxDepth: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxDepth) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
    }
  }
  return false;
}

/** Index of the quote that closes the string opened at `start`, or the end of a text that never closes it. */
function endOfString(text: string, start: number): number {
  let i = start;
  do {
    i = text.indexOf('"', i + 1);
    if (i === -1) return text.length;
  } while (isEscaped(text, i));
  return i;
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(index - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}
