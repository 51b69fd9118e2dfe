import { expect } from "vitest";
import type { OpenApi } from "../security/routes.ts";
import { problemsOf } from "./api-schema.ts";
import type { Exchange } from "./record-exchanges.ts";

/** Fails unless the document has this answer: route, status, kind and shape of its body. */
export function expectDocumented(exchange: Exchange, document: OpenApi): void {
  const label = `${exchange.name}: ${exchange.status}`;
  expect(exchange.operation, `${exchange.name} is a route`).toBeDefined();
  const response = exchange.operation?.responses[String(exchange.status)] as Documented | undefined;
  expect(response, `${label} is documented: ${exchange.text.slice(0, 300)}`).toBeDefined();
  const [media, body] = Object.entries(response?.content ?? {})[0] ?? [];
  if (media === undefined || body === undefined) {
    expect(exchange.text, label).toBe("");
    return;
  }
  expect(exchange.type.split(";")[0], label).toBe(media);
  for (const item of itemsOf(media, exchange.text)) {
    expect(problemsOf(item, body.schema, document.components.schemas), label).toEqual([]);
  }
}

/** The values in a body: one in JSON, one a line in a stream of them. */
function itemsOf(media: string, text: string): readonly unknown[] {
  switch (media) {
    case "application/json":
      return [JSON.parse(text)];
    case "application/x-ndjson":
      return text
        .trimEnd()
        .split("\n")
        .map((line): unknown => JSON.parse(line));
    case "text/event-stream":
      expect(text).toContain("data: ");
      return [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]): unknown => JSON.parse(data));
    default:
      throw new Error(`a body of ${media}, which this test cannot read`);
  }
}

interface Documented {
  readonly content?: Readonly<Record<string, { readonly schema: Readonly<Record<string, unknown>> }>>;
}
