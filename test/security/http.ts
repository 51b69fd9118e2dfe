import type { TestProduct } from "../harness/product.ts";

/** One request as a test writes it down. */
export interface Call {
  readonly method: string;
  /** With its query, percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; `undefined`: no body. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The page that the sessions of these tests are made for. */
export const ORIGIN = "http://host.localhost:9";

export async function send(product: Pick<TestProduct, "url">, call: Call): Promise<Answer> {
  const response = await fetch(product.url + call.path, {
    method: call.method,
    redirect: "manual",
    headers: { ...(call.body === undefined ? {} : { "content-type": "application/json" }), ...call.headers },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  });
  return { status: response.status, headers: response.headers, text: await textOf(response) };
}

/** All of a body; of one without an end what comes first. */
async function textOf(response: Response): Promise<string> {
  if (response.headers.get("content-type") !== "text/event-stream") return response.text();
  const reader = response.body?.getReader();
  const first = await reader?.read();
  // Not waited for: a copy of the stream that somebody else reads may keep it open.
  reader?.cancel().catch(() => {});
  return new TextDecoder().decode(first?.value);
}

export function withKey(apiKey: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${apiKey}` };
}

export function withSession(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}`, origin: ORIGIN };
}

/** The body of an answer, which is JSON. */
export function jsonOf(answer: Answer): Readonly<Record<string, unknown>> {
  return JSON.parse(answer.text) as Record<string, unknown>;
}
