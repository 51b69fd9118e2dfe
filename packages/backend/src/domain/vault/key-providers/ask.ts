import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";
import { KeyProviderError, type ProviderId } from "../key-provider.ts";
import { WAIT_MS_MAX, type Limits } from "./limits.ts";
import { jsonOrNull } from "../../../platform/runtime/index.ts";

export interface Question {
  readonly provider: ProviderId;
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

export interface Answer {
  readonly status: number;
  /** `null` for what is not JSON. */
  readonly body: unknown;
}

const ANSWER_BYTES_MAX = 64 * 1024;
/** Words of a service that may come back with any status; see each provider. */
type IsFinal = (answer: Answer) => boolean;

/**
 * Asks a key service that speaks JSON over HTTP, at the place that the operator configured. Redirects are not followed.
 * What says nothing (no answer, 429, 5xx) is asked again.
 *
 * @throws KeyProviderError `unreachable`
 */
export async function ask(question: Question, limits: Limits, isFinal: IsFinal = () => false): Promise<Answer> {
  for (let left = limits.tries - 1; ; left--) {
    const answer = await tryOnce(question, limits.tryMs);
    if (typeof answer !== "string" && (answer.status < 500 || isFinal(answer)) && answer.status !== 429) return answer;
    if (left <= 0) {
      const detail = typeof answer === "string" ? answer : `status ${answer.status}`;
      throw new KeyProviderError(question.provider, "unreachable", detail);
    }
    await delay(WAIT_MS_MAX / 2 ** left);
  }
}

/** @returns a code where there was no whole answer */
async function tryOnce(question: Question, tryMs: number): Promise<Answer | string> {
  try {
    const { statusCode, body } = await request(question.url, {
      method: question.method,
      headers: { accept: "application/json", "content-type": "application/json", ...question.headers },
      body: question.body === undefined ? null : JSON.stringify(question.body),
      signal: AbortSignal.timeout(tryMs),
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array)) return "unreadable";
      chunks.push(chunk);
      bytes += chunk.byteLength;
      // Leaving the loop destroys the body and its connection.
      if (bytes > ANSWER_BYTES_MAX) return "answer too long";
    }
    return { status: statusCode, body: jsonOrNull(Buffer.concat(chunks).toString("utf8")) };
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "network";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.name;
}
