/// <reference types="node" />
import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { aConnection } from "./backend.ts";
import { type Harness, LEFT_OUT, startHarness, type World, type WorldOptions } from "./harness.ts";
import { answerConsent, openWidget, toAddress, toConsent, toManage, toWindow } from "./screens.ts";

describe.skipIf(LEFT_OUT !== null)("the widget in a browser", () => {
  let harness: Harness;
  let world: World | null = null;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterEach(async () => {
    await world?.close();
    world = null;
  });
  afterAll(() => harness.close());

  async function open(options: WorldOptions = {}): Promise<World> {
    world = await harness.world(options);
    return world;
  }

  test("connects a store under the strictest policy of a host, and proves that this page began", async () => {
    const { page, backend, ...world } = await open();
    await answerConsent({ page, backend, ...world }, "Install");
    await page.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    await page.getByRole("progressbar", { name: "First import" }).waitFor();

    const [start] = bodies(backend.calls, "POST", "/authorizations");
    const [complete] = bodies(backend.calls, "POST", "/authorizations/auth_1/complete");
    const { verifier, completionCode } = complete as { verifier: string; completionCode: string };
    expect(completionCode).toBe("code_1");
    expect(createHash("sha256").update(verifier).digest("base64url")).toBe(
      (start as { verifierChallenge: string }).verifierChallenge,
    );
    expect(start).toMatchObject({ provider: "shopify", parameters: { shop: "acme.myshopify.com" }, display: "popup" });
    expect(await world.events()).toEqual(["open", "ready", "provider-selected", "authorization-started", "connected"]);
    expect(world.complaints).toEqual([]);
    expect(world.context.pages()).toHaveLength(1);
  });

  test("keeps tokens, verifiers and codes out of addresses, attributes and storage", async () => {
    const { page, backend, addresses, ...world } = await open();
    await answerConsent({ page, backend, addresses, ...world }, "Install");
    await page.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    const [complete] = bodies(backend.calls, "POST", "/authorizations/auth_1/complete");
    const secrets = ["cst_test_first", (complete as { verifier: string }).verifier, "code_1"];
    const places = await page.evaluate<string>(
      "document.documentElement.outerHTML + document.querySelector('patchbay-connect').shadowRoot.innerHTML + JSON.stringify([{...localStorage}, {...sessionStorage}, history.state, document.cookie])",
    );
    for (const secret of secrets) expect(addresses.join() + places).not.toContain(secret);
  });

  test("shows the import's progress until it is done", async () => {
    const world = await open();
    await answerConsent(world, "Install");
    const bar = world.page.getByRole("progressbar", { name: "First import" });
    await bar.and(world.page.locator("[aria-valuenow='25']")).waitFor();
    expect(await bar.getAttribute("aria-valuetext")).toBe("1,240 of 5,012 records");
    world.backend.answers.run = { done: 5_012, total: 5_012, status: "completed" };
    await world.page.getByText("5,012 records imported").waitFor();
    expect(await world.events()).toContain("sync-progress");
  });

  test("completes when the host's page cuts the window off, once the person confirmed there", async () => {
    const world = await open({ openerPolicy: "same-origin" });
    const popup = await toWindow(world);
    await popup.getByRole("link", { name: "Install" }).click();
    await world.page.getByText("One more step: confirm in the Shopify window.").waitFor();
    world.backend.answers.status = "confirmed";
    await world.page.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    const [proof] = bodies(world.backend.calls, "POST", "/authorizations/auth_1/complete");
    expect(Object.keys(proof as object)).toEqual(["verifier"]);
  });

  test("goes on in this tab when windows are blocked, and finishes after the way back", async () => {
    const world = await open({ blockPopups: true });
    const { page, backend } = world;
    await toConsent(page);
    await page.getByRole("button", { name: "Continue to Shopify" }).click();
    await page.getByRole("button", { name: "Continue in this tab" }).click();
    await page.waitForURL(/\/consent/);
    expect(bodies(backend.calls, "POST", "/authorizations")).toMatchObject([{ display: "redirect" }]);

    backend.answers.status = "exchanged";
    await page.goto(`${world.hostOrigin}/settings?tab=apps&pb_authorization=auth_1&pb_code=code_r#here`);
    await page.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    expect(new URL(page.url()).pathname + new URL(page.url()).search + new URL(page.url()).hash).toBe(
      "/settings?tab=apps#here",
    );
    expect(bodies(backend.calls, "POST", "/authorizations/auth_1/complete")).toEqual([{ completionCode: "code_r" }]);
  });

  test("tells after the way back that access was denied", async () => {
    const world = await open();
    Object.assign(world.backend.answers, { status: "failed", error: "access_denied" });
    await world.page.goto(`${world.hostOrigin}/?pb_authorization=auth_1`);
    await world.page.getByRole("heading", { name: "You didn’t give access" }).waitFor();
  });

  test("opens the window again in the click on Try again", async () => {
    const world = await open();
    await answerConsent(world, "Cancel");
    const again = world.context.waitForEvent("page");
    await world.page.getByRole("button", { name: "Try again" }).click();
    await (await again).getByRole("link", { name: "Install" }).click();
    await world.page.getByRole("heading", { name: "Shopify is connected" }).waitFor();
  });

  test("takes an authorization up that was open when the page was reloaded", async () => {
    const world = await open({ mode: "inline" });
    const { page, backend } = world;
    const popup = await toWindow(world);
    await popup.getByRole("heading", { name: "Install Northwind?" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Finish in the Shopify window" }).waitFor();
    backend.answers.status = "confirmed";
    await page.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    expect(bodies(backend.calls, "POST", "/authorizations/auth_1/complete")).toEqual([{}]);
    expect(await page.evaluate("history.state")).toBeNull();
  });

  test("ignores messages that are not from its own window", async () => {
    const world = await open();
    await toWindow(world);
    await world.page.getByRole("heading", { name: "Finish in the Shopify window" }).waitFor();
    await world.page.evaluate(
      "window.postMessage({ type: 'patchbay:authorization', authorizationId: 'auth_1', completionCode: 'forged' }, '*')",
    );
    await world.page.evaluate("new Promise((resolve) => setTimeout(resolve))");
    expect(bodies(world.backend.calls, "POST", "/authorizations/auth_1/complete")).toEqual([]);
  });

  test("asks the host for a new token when the old one expired, and loses nothing", async () => {
    const world = await open();
    await toAddress(world.page);
    world.backend.answers.tokens = new Set(["cst_test_second"]);
    await world.page.evaluate("window.token = 'cst_test_second'");
    await world.page.getByLabel("Your Shopify store address").fill("acme");
    await world.page.keyboard.press("Enter");
    await world.page.getByRole("button", { name: "Continue to Shopify" }).waitFor();
    expect(await world.reasons()).toEqual(["init", "expired"]);
  });

  test("goes on by itself when the browser is online again", async () => {
    const world = await open();
    await toAddress(world.page);
    await world.context.setOffline(true);
    await world.page.getByLabel("Your Shopify store address").fill("acme");
    await world.page.keyboard.press("Enter");
    await world.page.locator(".banner").waitFor();
    await world.context.setOffline(false);
    await world.page.getByRole("button", { name: "Continue to Shopify" }).waitFor();
  });

  test("is used by keyboard alone, and gives the focus back to where it was", async () => {
    const { page } = await open();
    await page.getByRole("button", { name: "Connect your store" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Connect your accounts" }).waitFor();
    expect(await focused(page)).toBe("Connect your accounts");
    await tabTo(page, "Shopify");
    await page.keyboard.press("Enter");
    expect(await focused(page)).toBe("Connect Shopify");
    await tabTo(page, "shop");
    await page.keyboard.type("ac me");
    await page.keyboard.press("Enter");
    expect(await focused(page)).toBe("shop");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("acme");
    await page.keyboard.press("Enter");
    await page.getByText("Northwind will be able to:").waitFor();
    expect(await focused(page)).toBe("Connect Shopify");
    await page.keyboard.press("Escape");
    await page.locator("patchbay-connect").waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.id")).toBe("go");
  });

  test("asks twice before it disconnects, with the safe choice in focus", async () => {
    const world = await open();
    world.backend.answers.connections = [aConnection()];
    await toManage(world.page);
    await world.page.getByRole("button", { name: "Disconnect" }).click();
    expect(await focused(world.page)).toBe("Keep connected");
    await world.page.getByRole("button", { name: "Disconnect Shopify" }).click();
    await world.page.getByRole("heading", { name: "Connect your accounts" }).waitFor();
    expect(world.backend.calls.map(({ method, path }) => `${method} ${path}`)).toContain("DELETE /connections/conn_1");
    expect(await world.events()).toContain("disconnected");
  });

  test("gives up what is under way when the person closes it", async () => {
    const world = await open();
    const popup = await toWindow(world);
    await popup.waitForURL(/consent/);
    const closed = popup.waitForEvent("close");
    const canceled = world.page.waitForRequest((request) => request.method() === "DELETE");
    await world.page.getByRole("button", { name: "Close" }).click();
    await Promise.all([closed, canceled]);
    expect(await world.events()).toContain("close");
  });

  test("inline leaves the page's focus alone, and survives being moved", async () => {
    const { page } = await open({ mode: "inline" });
    await page.getByRole("button", { name: "Shopify" }).waitFor();
    expect(await page.evaluate("document.activeElement.tagName")).toBe("BODY");
    await page.getByRole("button", { name: "Shopify" }).click();
    await page.getByLabel("Your Shopify store address").fill("acme");
    await page.evaluate("document.querySelector('main').prepend(document.querySelector('patchbay-connect'))");
    expect(await page.getByLabel("Your Shopify store address").inputValue()).toBe("acme");
  });

  test("moves an accent that could not be read, and tells the host", async () => {
    const world = await open({ options: `{ appearance: { variables: { accent: "#ffe14d", onAccent: "#ffffff" } } }` });
    await toAddress(world.page);
    const [color, background] = await world.page.getByRole("button", { name: "Continue" }).evaluate((button) => {
      const style = getComputedStyle(button);
      return [style.color, style.backgroundColor];
    });
    expect([color, background]).toEqual(["rgb(0, 0, 0)", "rgb(255, 225, 77)"]);
    expect(await world.events()).toContain("appearance-corrected");
  });

  test("closes nothing of the page's own: scrolling comes back", async () => {
    const { page } = await open();
    await openWidget(page);
    await page.getByRole("button", { name: "Shopify" }).waitFor();
    expect(await page.evaluate("getComputedStyle(document.documentElement).overflow")).toBe("hidden");
    await page.keyboard.press("Escape");
    await page.locator("patchbay-connect").waitFor({ state: "detached" });
    expect(await page.evaluate("getComputedStyle(document.documentElement).overflow")).toBe("visible");
  });
});

function bodies(calls: World["backend"]["calls"], method: string, path: string): readonly unknown[] {
  return calls.filter((call) => call.method === method && call.path === path).map(({ body }) => body);
}

/** Text or name of what has the focus inside the widget. */
function focused(page: World["page"]): Promise<string> {
  return page.evaluate<string>(
    "(({ name, textContent }) => name || textContent.trim())(document.querySelector('patchbay-connect').shadowRoot.activeElement ?? document.body)",
  );
}

const MOST_TABS = 12;

async function tabTo(page: World["page"], name: string): Promise<void> {
  for (let tabs = 0; tabs < MOST_TABS; tabs++) {
    await page.keyboard.press("Tab");
    if ((await focused(page)).startsWith(name)) return;
  }
  throw new Error(`Tab does not reach ${name}`);
}
