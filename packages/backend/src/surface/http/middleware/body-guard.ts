import { AppError } from "@patchbay/shared";
import type { MiddlewareHandler } from "hono";
import type { HttpEnv } from "../env.ts";

export const API_BODY_BYTES_MAX = 1024 * 1024;
const DEPTH_MAX = 64;
const FORBIDDEN_KEY = /"(?:__proto__|constructor|prototype)"\s*:/;

/**
 * Reads the body of a request once, no further than the limit, and looks at it before anything parses it: size, depth
 * of nesting, keys that poison prototypes.
 */
export const bodyGuard: MiddlewareHandler<HttpEnv> = async function bodyGuard(c, next) {
  if (c.req.method !== "GET" && c.req.method !== "HEAD") {
    const bytes = await readBody(c.req.raw, API_BODY_BYTES_MAX);
    const text = bytes.toString("utf8");
    if (depthOf(text) > DEPTH_MAX) {
      throw new AppError("invalid_request", `the body is nested deeper than ${DEPTH_MAX} levels`);
    }
    if (FORBIDDEN_KEY.test(text)) {
      throw new AppError(
        "invalid_request",
        "the body has a key that is not allowed: __proto__, constructor or prototype",
      );
    }
    if (text !== "" && /json/i.test(c.req.header("content-type") ?? "") && !isJson(text)) {
      throw new AppError("invalid_request", "the body is not JSON");
    }
    c.req.bodyCache.text = Promise.resolve(text) as never;
  }
  await next();
};

/** Collects a request's body. @throws AppError `payload_too_large` past `bytesMax` */
export async function readBody(request: Request, bytesMax: number): Promise<Buffer> {
  const refuse = () =>
    new AppError("payload_too_large", `the body is larger than ${Math.floor(bytesMax / 1024)} KiB, the limit here`);
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw refuse();
  if (request.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > bytesMax) throw refuse();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
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

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
