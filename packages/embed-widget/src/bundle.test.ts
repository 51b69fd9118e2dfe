/// <reference types="node" />
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { buildBundles, type Bundles } from "./browser/bundle.ts";

const LIMIT_BYTES = 24 * 1024;

describe("the bundle", () => {
  let bundles: Bundles;
  beforeAll(async () => {
    bundles = await buildBundles();
  });

  test.each(["module", "embed"] as const)("as %s is at most 24 KiB gzipped, everything included", (kind) => {
    const code = bundles[kind];
    expect(gzipSync(code, { level: 9 }).byteLength).toBeLessThanOrEqual(LIMIT_BYTES);
    expect(code).not.toMatch(/\bimport\s*\(|\bfrom\s*["'`]/);
  });

  test.each(["module", "embed"] as const)("as %s is plain ASCII, so that a page in any charset reads it", (kind) => {
    expect(bundles[kind]).toMatch(/^\p{ASCII}*$/u);
    expect(bundles[kind]).toContain(String.raw`didn\u2019t`);
  });

  test("as a module touches no page when imported", async () => {
    const url = `data:text/javascript;base64,${Buffer.from(bundles.module).toString("base64")}`;
    const module = (await import(/* @vite-ignore */ url)) as { open: unknown; define: (tag?: string) => void };
    expect(module.open).toBeTypeOf("function");
    expect(() => module.define()).not.toThrow();
  });
});
