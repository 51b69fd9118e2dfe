import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";
import { expect } from "vitest";

/** A person with a browser profile, and all that their browser had to complain about. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** The widget in the page; Playwright looks into open shadow roots. */
  readonly widget: Locator;
  /** Console errors, exceptions and policy violations of every window. */
  readonly complaints: readonly string[];
  /** Every address that any window asked for. */
  readonly addresses: readonly string[];
  /** Leaves. @throws when a window complained of something that `expected` does not match */
  leave(expected?: RegExp): Promise<void>;
}

/** Long enough for a busy machine, short enough to see which step hangs. */
const STEP_MS = 15_000;

export async function openVisitor(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(STEP_MS);
  const complaints: string[] = [];
  const addresses: string[] = [];
  await context.addInitScript(REPORT_VIOLATIONS);
  context.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${message.text()} (${message.location().url})`);
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  context.on("request", (request) => addresses.push(request.url()));
  const page = await context.newPage();
  await page.goto(url);
  return {
    context,
    page,
    widget: page.locator("patchbay-connect[mode=inline]"),
    complaints,
    addresses,
    async leave(expected) {
      await context.close();
      expect(complaints.filter((complaint) => expected?.test(complaint) !== true)).toEqual([]);
    },
  };
}

const REPORT_VIOLATIONS = `addEventListener("securitypolicyviolation", (event) =>
  console.error("policy violation: " + event.violatedDirective + " " + event.blockedURI + " " + event.sample));`;
