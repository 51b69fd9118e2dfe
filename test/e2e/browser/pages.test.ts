import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hasChromium, needChromium } from "./chromium.ts";
import { connect } from "./steps.ts";
import { SHOP, startBrowserWorld, type BrowserWorld } from "./world.ts";

let world: BrowserWorld;
let tideline: Awaited<ReturnType<BrowserWorld["startTideline"]>>;
beforeAll(async () => {
  if (!hasChromium) return;
  world = await startBrowserWorld();
  tideline = await world.startTideline();
});
beforeEach(needChromium);
afterAll(() => (hasChromium ? world.close() : undefined));

interface Seen {
  readonly name: string;
  readonly url: () => string;
  readonly ready: string;
  /** Complaints that belong to the page: a dead link answers with its status. */
  readonly expected?: RegExp;
}

const PAGES: readonly Seen[] = [
  { name: "the example's orders", url: () => tideline.url, ready: "Connect your accounts" },
  { name: "the example's events", url: () => `${tideline.url}/events`, ready: "Nothing yet" },
  { name: "the console's sign-in", url: () => `${world.product.url}/console`, ready: "Operator token" },
  { name: "the console", url: () => world.product.patchbay.consoleLink(), ready: "Deliveries" },
  { name: "the API reference", url: () => `${world.product.url}/docs`, ready: "Copy link" },
  {
    name: "a dead link",
    url: () => `${world.product.url}/oauth/start/nowhere`,
    ready: "This link doesn’t work",
    expected: /status of 404/,
  },
  { name: "the sandbox", url: () => `${world.sandboxOrigin}/`, ready: "Acme Goods" },
  {
    name: "a store's control page",
    url: () => `${world.sandboxOrigin}/_shops/${SHOP}/control`,
    ready: "Newest orders",
  },
];

/** What fades in is hard to read for a moment. */
const STILL = { reducedMotion: "reduce" } as const;
const SCHEMES = ["light", "dark"] as const;
const WIDTHS = [1280, 375] as const;

describe.each(PAGES)("$name", ({ url, ready, expected }) => {
  test.each(SCHEMES)("complains of nothing, asks no other site, fits and can be read, %s", async (colorScheme) => {
    for (const width of WIDTHS) {
      const visitor = await world.visit("about:blank", { ...STILL, colorScheme, viewport: { width, height: 800 } });
      const { page, addresses } = visitor;
      await page.goto(url());
      await page.getByText(ready).first().waitFor({ state: "attached" });
      expect(addresses.filter((address) => !isOurs(address))).toEqual([]);
      expect(await page.evaluate(TOO_WIDE)).toBe(0);
      if (!page.url().endsWith("/docs")) expect(await violations(page)).toEqual([]);
      await visitor.leave(expected);
    }
  });
});

describe("the widget over a page", () => {
  test("moves nothing behind it when it opens and closes", async () => {
    const visitor = await world.visit(tideline.url, { viewport: { width: 1280, height: 500 } });
    const { page } = visitor;
    await page.getByRole("heading", { name: "Connect your accounts" }).waitFor();
    const before = await page.evaluate(WHERE_THINGS_ARE);
    await page.getByRole("button", { name: "Connect your store" }).click();
    const modal = page.locator("patchbay-connect[mode=modal]");
    await modal.getByRole("heading", { name: "Connect your accounts" }).waitFor();
    expect(await page.evaluate(WHERE_THINGS_ARE)).toEqual(before);
    await page.keyboard.press("Escape");
    await modal.waitFor({ state: "detached" });
    expect(await page.evaluate(WHERE_THINGS_ARE)).toEqual(before);
    await visitor.leave();
  });

  test("opens from a queued call without a callback", async () => {
    const { url } = await world.addHostPage();
    const visitor = await world.visit(url);
    await visitor.page.locator("#open").click();
    await visitor.page
      .locator("patchbay-connect[mode=modal]")
      .getByRole("button", { name: /Shopify/ })
      .waitFor();
    await visitor.leave();
  });
});

describe("the console with data", () => {
  test.each(SCHEMES)("complains of nothing and shows runs, events and deliveries, %s", async (colorScheme) => {
    const visitor = await world.visit((await world.addHostPage()).url, { ...STILL, colorScheme });
    await connect(visitor);
    const { page } = visitor;
    await page.goto(world.product.patchbay.consoleLink());
    await page.getByRole("link", { name: "Tideline" }).last().click();
    await page.getByText("connection.activated").first().waitFor();
    await page.getByText("initial").first().waitFor();
    expect(await violations(page)).toEqual([]);
    await visitor.leave();
  });
});

/** Addresses of this machine; everything else is another site's. */
function isOurs(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol !== "http:" && protocol !== "https:" ? true : /^(127\.0\.0\.1|(.+\.)?localhost)$/.test(hostname);
}

const TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
const WHERE_THINGS_ARE = `[...document.querySelectorAll("h1, h2, header, main, footer, button")]
  .map((each) => { const { x, width } = each.getBoundingClientRect(); return [each.tagName, x, width]; })`;

/** What axe finds against WCAG 2.2 AA, by rule and place. */
async function violations(page: Page): Promise<readonly string[]> {
  // Evaluated, not added as a script: the pages' own policies stay in force.
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  return page.evaluate<
    string[]
  >(`axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => id + " " + node.target.join(" "))))`);
}
