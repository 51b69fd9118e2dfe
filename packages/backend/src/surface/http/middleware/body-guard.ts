import { AppError } from "@patchbay/shared";
import type { MiddlewareHandler } from "hono";
import type { HttpEnv } from "../env.ts";

export const API_BODY_BYTES_MAX = 1024 * 1024;
const DEPTH_MAX = 64;
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Reads the body of a request once, no further than the limit, and looks at it before anyone uses it: size, encoding,
 * depth of nesting, keys that poison prototypes, text that Postgres cannot hold.
 */
export const bodyGuard: MiddlewareHandler<HttpEnv> = async function bodyGuard(c, next) {
  if (c.req.method !== "GET" && c.req.method !== "HEAD") {
    const text = decode(await readBody(c.req.raw, API_BODY_BYTES_MAX));
    if (depthOf(text) > DEPTH_MAX) {
      throw new AppError("invalid_request", `the body is nested deeper than ${DEPTH_MAX} levels`);
    }
    if (text !== "" && /json/i.test(c.req.header("content-type") ?? "")) checkJson(text);
    c.req.bodyCache.text = Promise.resolve(text) as never;
  }
  await next();
};

/** Refuses addresses with a NUL character: no text column can hold one. */
export const addressGuard: MiddlewareHandler<HttpEnv> = async function addressGuard(c, next) {
  if (c.req.url.includes("%00")) throw new AppError("invalid_request", "the address holds a NUL character");
  await next();
};

/** Collects a request's body. @throws AppError `payload_too_large` past `bytesMax`, `invalid_request` when it breaks off */
export async function readBody(request: Request, bytesMax: number): Promise<Buffer> {
  const length = request.headers.get("content-length");
  if (Number(length ?? 0) > bytesMax) throw tooLarge(bytesMax);
  try {
    // Node reads no further than the length that was named. As a stream, a body costs a third of the whole request.
    if (length !== null) return Buffer.from(await request.arrayBuffer());
    return request.body === null ? Buffer.alloc(0) : await collect(request.body, bytesMax);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("invalid_request", "the connection ended before the body was complete", { cause: error });
  }
}

async function collect(body: ReadableStream<Uint8Array>, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(bytesMax: number): AppError {
  return new AppError(
    "payload_too_large",
    `the body is larger than ${Math.floor(bytesMax / 1024)} KiB, the limit here`,
  );
}

/** Deepest nesting of braces and brackets outside strings; a scan, so that hostile depth never reaches a parser. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (inString) {
      if (character === 0x5c) i++;
      else if (character === 0x22) inString = false;
      continue;
    }
    if (character === 0x22) inString = true;
    else if (character === 0x7b || character === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (character === 0x7d || character === 0x5d) depth--;
  }
  return deepest;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new AppError("invalid_request", "the body is not UTF-8", { cause: error });
  }
}

/** Looks at what was parsed, not at the text: escapes such as `\u005f` hide keys from a scan. */
function checkJson(text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AppError("invalid_request", "the body is not JSON", { cause: error });
  }
  checkValue(value);
}

/** No deeper than {@link DEPTH_MAX}, as the scan before made sure. */
function checkValue(value: unknown): void {
  if (typeof value === "string") return checkText(value);
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (FORBIDDEN_KEYS.has(key)) {
      throw new AppError(
        "invalid_request",
        "the body has a key that is not allowed: __proto__, constructor or prototype",
      );
    }
    checkText(key);
    checkValue(member);
  }
}

function checkText(text: string): void {
  if (text.includes("\0") || !text.isWellFormed()) {
    throw new AppError("invalid_request", "the body has a text with a NUL character or half a surrogate pair");
  }
}
