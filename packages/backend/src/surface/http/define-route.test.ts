import { AppError } from "@patchbay/shared";
import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineRoute } from "./define-route.ts";
import type { HttpEnv } from "./env.ts";

const JSON_TYPE = "application/json";

describe("a body that may be left out", () => {
  const ask = anApp(true);

  test.each([
    ["nothing at all", undefined, undefined, "{}"],
    ["an empty object", "{}", JSON_TYPE, "{}"],
    ["a value", '{"how":"newest"}', JSON_TYPE, '{"how":"newest"}'],
  ])("%s is taken", async (_, body, type, expected) => {
    expect(await ask(body, type)).toBe(expected);
  });

  test.each([
    ["an empty body that claims to be JSON", "", JSON_TYPE, "invalid_request"],
    ["another value", '{"how":"oldest"}', JSON_TYPE, "invalid_request"],
    ["another field", '{"who":"me"}', JSON_TYPE, "invalid_request"],
    ["null", "null", JSON_TYPE, "invalid_request"],
    ["JSON that does not say so", '{"how":"newest"}', "text/plain", "unsupported_media_type"],
    ["bytes of no type", new Uint8Array([123, 125]), undefined, "unsupported_media_type"],
    ["nothing of another type", undefined, "text/plain", "unsupported_media_type"],
  ])("%s is refused", async (_, body, type, code) => {
    expect(await ask(body, type)).toBe(code);
  });
});

test("a body that is asked for cannot be left out", async () => {
  const ask = anApp(false);
  expect(await ask(undefined, undefined)).toBe("unsupported_media_type");
  expect(await ask("{}", JSON_TYPE)).toBe("{}");
});

/** @returns what asks the route: its answer, or the code of the refusal */
function anApp(bodyOptional: boolean) {
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => c.text(error instanceof AppError ? error.code : "bug"));
  const body = z.strictObject({ how: z.enum(["all", "newest"]).optional() });
  const spec = { method: "post", path: "/x", summary: "", tag: "", scope: null, responses: { 200: body } } as const;
  const request = bodyOptional ? ({ body, bodyOptional } as const) : { body };
  defineRoute({ ...spec, request }, async (c, input) => c.json(input.body)).mount(app, []);
  return async (sent: BodyInit | undefined, type: string | undefined) => {
    const headers = type === undefined ? {} : { "content-type": type };
    const init = { method: "POST", headers, ...(sent === undefined ? {} : { body: sent }) };
    return (await app.request("/x", init)).text();
  };
}
