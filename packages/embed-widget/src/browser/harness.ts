/// <reference types="node" />
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type Backend, portOf, startBackend, stop } from "./backend.ts";
import { buildBundles } from "./bundle.ts";

const CHROMIUM = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Longer than any step should take, shorter than a test may: so that the step that hangs is named. */
const STEP_DEADLINE_MS = 12_000;

/** Why browser tests are left out, or `null` when they run. */
export const LEFT_OUT = existsSync(CHROMIUM)
  ? null
  : `no Chromium at ${CHROMIUM}: browser tests of the widget were not run`;

/** One page of a host product under the strictest policy a host can have, and the backend it talks to. */
export interface World {
  readonly backend: Backend;
  readonly hostOrigin: string;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Everything that went wrong on the page: console errors, policy violations, exceptions. */
  readonly complaints: readonly string[];
  /** Every address that any window asked for. */
  readonly addresses: readonly string[];
  /** Names of the widget's events so far. */
  events(): Promise<readonly string[]>;
  /** Reasons for which the host was asked for a token. */
  reasons(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly context?: BrowserContextOptions;
  /** `inline` puts the element into the page; `modal` opens by the button. */
  readonly mode?: "modal" | "inline";
  /** `Cross-Origin-Opener-Policy` of the host. */
  readonly openerPolicy?: string;
  readonly blockPopups?: boolean;
  /** Further options, as JavaScript source. */
  readonly options?: string;
}

export interface Harness {
  world(options?: WorldOptions): Promise<World>;
  close(): Promise<void>;
}

export async function startHarness(): Promise<Harness> {
  const { embed: script } = await buildBundles();
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  return {
    world: (options = {}) => openWorld(browser, script, options),
    close: () => browser.close(),
  };
}

async function openWorld(browser: Browser, script: string, options: WorldOptions): Promise<World> {
  let backend: Backend | null = null;
  const host = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://host.localhost");
    if (options.openerPolicy) response.setHeader("cross-origin-opener-policy", options.openerPolicy);
    response.setHeader(
      "content-security-policy",
      `default-src 'none'; style-src 'self'; script-src 'self' ${backend?.origin}; connect-src ${backend?.origin}; require-trusted-types-for 'script'`,
    );
    response.setHeader("content-type", pathname === "/host.js" ? "text/javascript" : "text/html");
    response.end(pathname === "/host.js" ? hostScript(options) : hostPage(backend?.origin ?? ""));
  });
  await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
  const hostOrigin = `http://host.localhost:${portOf(host)}`;
  const started = await startBackend({ hostOrigin, script });
  backend = started;

  const context = await browser.newContext(options.context);
  context.setDefaultTimeout(STEP_DEADLINE_MS);
  if (options.blockPopups) {
    await context.addInitScript(() => {
      window.open = () => null;
    });
  }
  const complaints: string[] = [];
  const addresses: string[] = [];
  context.on("request", (request) => addresses.push(request.url()));
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // Refusals that a test asked for are logged by the browser itself.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  await page.goto(hostOrigin);
  return {
    backend: started,
    hostOrigin,
    context,
    page,
    complaints,
    addresses,
    events: () => page.evaluate<string[]>("window.seen"),
    reasons: () => page.evaluate<string[]>("window.reasons"),
    async close() {
      await context.close();
      started.close();
      stop(host);
    },
  };
}

/** The script tag as a host writes it: async, with calls queued before it is there. */
function hostPage(apiOrigin: string): string {
  return `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Northwind</title><main><h1>Settings</h1><button id="go">Connect your store</button><div id="place"></div></main>
<script async src="${apiOrigin}/embed/v1.js"></script><script src="/host.js"></script></html>`;
}

function hostScript({ mode = "modal", options = "{}" }: WorldOptions): string {
  return `
window.seen = []; window.reasons = []; window.token = "cst_test_first"; window.corrections = [];
const types = ["open", "ready", "close", "provider-selected", "popup-blocked", "authorization-started", "connected",
  "reauthorized", "disconnected", "sync-progress", "appearance-corrected", "error"];
const fetchSessionToken = async ({ reason }) => { window.reasons.push(reason); return window.token; };
window.patchbayQueue = window.patchbayQueue || [];
if (${JSON.stringify(mode)} === "inline") {
  const element = document.createElement("patchbay-connect");
  for (const type of types) element.addEventListener("patchbay:" + type, () => window.seen.push(type));
  element.fetchSessionToken = fetchSessionToken;
  Object.assign(element, ${options});
  document.getElementById("place").append(element);
} else {
  const watch = (handle) => {
    if (handle === null) return;
    window.handle = handle;
    for (const type of types) handle.on(type, () => window.seen.push(type));
  };
  const all = { fetchSessionToken, ...(${options}) };
  document.getElementById("go").addEventListener("click", () => patchbayQueue.push(["open", all, watch]));
  patchbayQueue.push(["resume", all, watch]);
}`;
}
