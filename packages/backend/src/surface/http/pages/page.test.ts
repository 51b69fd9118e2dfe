import { Hono } from "hono";
import { html } from "hono/html";
import { describe, expect, test } from "vitest";
import type { HttpEnv } from "../env.ts";
import { renderPage } from "./page.ts";

async function aPage(text = "hello") {
  const app = new Hono<HttpEnv>();
  app.get("/", (c) => renderPage(c, { title: text, body: html`<p>${text}</p>`, script: "void 0" }));
  const response = await app.request("/");
  return { policy: response.headers.get("content-security-policy") ?? "", text: await response.text() };
}

describe("renderPage", () => {
  test("lets run and style only what carries this answer's nonce", async () => {
    const { policy, text } = await aPage();
    const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(policy).toContain("default-src 'none'");
    const tags = [...text.matchAll(/<(?:script|style)[^>]*>/g)].map(([tag]) => tag);
    expect(tags).toHaveLength(2);
    for (const tag of tags) expect(tag).toContain(`nonce="${nonce}"`);
  });

  test("never uses a nonce twice", async () => {
    const policies = await Promise.all(Array.from({ length: 5 }, aPage.bind(null, "x")));
    expect(new Set(policies.map(({ policy }) => policy)).size).toBe(5);
  });

  test("is not to be framed and sends forms to itself only", async () => {
    const { policy } = await aPage();
    for (const part of ["frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"])
      expect(policy).toContain(part);
  });

  test("escapes what it is given", async () => {
    const { text } = await aPage(`</title><script>alert(1)</script>`);
    expect(text).not.toContain("<script>alert");
  });
});
