import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hasChromium, needChromium } from "./chromium.ts";
import { END_USER } from "./host-page.ts";
import { approve, catchAnswer, catchNavigation, chooseShop, connect, continueInPopup } from "./steps.ts";
import { startBrowserWorld, type BrowserWorld } from "./world.ts";

let world: BrowserWorld;
beforeAll(async () => {
  if (hasChromium) world = await startBrowserWorld();
});
beforeEach(needChromium);
afterAll(() => (hasChromium ? world.close() : undefined));

const QUESTION = `Connect Acme Goods to Tideline for ${END_USER.email}?`;

describe("a page that is cut off from the windows it opens", () => {
  test("is connected after the person has confirmed who they are", async () => {
    const { url, sdk } = await world.addHostPage({ openerPolicy: "same-origin" });
    const visitor = await world.visit(url);
    await chooseShop(visitor);
    const popup = await continueInPopup(visitor);
    await approve(popup);
    await popup.getByRole("heading", { name: QUESTION }).waitFor();
    expect(await connections(sdk)).toEqual([]);

    await popup.getByRole("button", { name: "Connect", exact: true }).click();
    await visitor.widget.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    expect(await connections(sdk)).toEqual(["active"]);
    await visitor.leave();
  });

  test("stays unconnected when it was somebody else", async () => {
    const { url, sdk } = await world.addHostPage({ openerPolicy: "same-origin" });
    const visitor = await world.visit(url);
    await chooseShop(visitor);
    const popup = await continueInPopup(visitor);
    await approve(popup);
    await popup.getByRole("button", { name: "This wasn’t me" }).click();
    await popup.getByRole("heading", { name: "Nothing was connected" }).waitFor();
    await visitor.widget.getByRole("heading", { name: "You didn’t give access" }).waitFor();
    expect(await connections(sdk)).toEqual([]);
    await visitor.leave();
  });
});

describe("a link that an attacker sends to somebody else", () => {
  test("connects nothing unless that person says that it was them", async () => {
    const { attacker, link, sdk } = await startAttack();
    const victim = await world.visit(link);
    await approve(victim.page);
    await victim.page.getByRole("heading", { name: QUESTION }).waitFor();
    // The attacker's widget has seen that somebody consented, and holds the verifier.
    await attacker.widget.getByText("One more step: confirm in the Shopify window.").first().waitFor();
    expect(await connections(sdk)).toEqual([]);

    await victim.page.getByRole("button", { name: "This wasn’t me" }).click();
    await attacker.widget.getByRole("heading", { name: "You didn’t give access" }).waitFor();
    expect(await connections(sdk)).toEqual([]);
    await victim.leave();
    await attacker.leave(ABORTED);
  });

  test("does not open the question in the attacker's own browser", async () => {
    const { attacker, link } = await startAttack();
    const victim = await world.visit(link);
    await approve(victim.page);
    await victim.page.getByRole("heading", { name: QUESTION }).waitFor();
    const elsewhere = await world.visit("about:blank");
    const answer = await elsewhere.page.goto(victim.page.url());
    expect(answer?.status()).toBe(400);
    await elsewhere.page.getByRole("heading", { name: "This window can’t go on" }).waitFor();
    await elsewhere.leave(/status of 400/);
    await victim.leave();
    await attacker.leave(ABORTED);
  });

  /** An attacker starts in their own browser and stops their window on the way, so that the link is unused. */
  async function startAttack() {
    const { url, sdk } = await world.addHostPage();
    const attacker = await world.visit(url);
    await chooseShop(attacker);
    const caught = await catchNavigation(attacker.context, "/oauth/start/");
    await attacker.widget.getByRole("button", { name: "Continue to Shopify" }).click();
    return { attacker, link: await caught(), sdk };
  }
});

describe("messages that are not the callback page's", () => {
  test("change nothing, whichever of origin and window is right", async () => {
    const { url, sdk } = await world.addHostPage();
    const visitor = await world.visit(url);
    const { page, widget, context, addresses } = visitor;
    await chooseShop(visitor);
    const started = page.waitForResponse((response) => response.url().endsWith("/connect/v1/authorizations"));
    const popup = await continueInPopup(visitor);
    const { id } = (await (await started).json()) as { readonly id: string };
    const message = { type: "patchbay:authorization", authorizationId: id, completionCode: "forged" };

    await page.evaluate((forged) => window.postMessage(forged, "*"), message); // neither
    await popup.evaluate((forged) => window.opener.postMessage(forged, "*"), message); // the right window at another origin
    const opened = context.waitForEvent("page");
    await page.evaluate((address) => void window.open(address), `${world.product.url}/console`);
    const other = await opened;
    await other.waitForLoadState();
    await other.evaluate((forged) => window.opener.postMessage(forged, "*"), message); // the right origin in another window
    await page.evaluate(NEXT_TASK);

    expect(addresses.filter((address) => address.endsWith("/complete"))).toEqual([]);
    await widget.getByRole("heading", { name: "Finish in the Shopify window" }).waitFor();
    await approve(popup);
    await widget.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    expect(addresses.filter((address) => address.endsWith("/complete"))).toHaveLength(1);
    expect(await connections(sdk)).toEqual(["active"]);
    await visitor.leave();
  });
});

describe("an address of the way to the provider and back", () => {
  test("leads nowhere the second time", async () => {
    const { url } = await world.addHostPage();
    const visitor = await world.visit(url);
    await connect(visitor);
    for (const path of ["/oauth/start/", "/oauth/callback/"]) {
      const used = visitor.addresses.find((address) => address.includes(path)) ?? "";
      expect((await visitor.page.goto(used))?.status()).toBe(410);
      await visitor.page.getByRole("heading", { name: "This link was used already" }).waitFor();
    }
    await visitor.leave(/status of 410/);
  });

  test("leads nowhere in another browser", async () => {
    const { url, sdk } = await world.addHostPage();
    const visitor = await world.visit(url);
    await chooseShop(visitor);
    const popup = await continueInPopup(visitor);
    const caught = await catchAnswer(visitor.context);
    await approve(popup);
    const thief = await world.visit("about:blank");
    expect((await thief.page.goto(await caught()))?.status()).toBe(400);
    await thief.page.getByRole("heading", { name: "This window can’t go on" }).waitFor();
    expect(await connections(sdk)).toEqual([]);
    await thief.leave(/status of 400/);
    await visitor.leave(ABORTED);
  });
});

describe("a session token", () => {
  test("is in no address, no attribute and no storage", async () => {
    const { url } = await world.addHostPage();
    const visitor = await world.visit(url);
    const { page, addresses } = visitor;
    await connect(visitor);
    await page.locator("#open").click();
    await page
      .locator("patchbay-connect[mode=modal]")
      .getByRole("heading", { name: "Connect your accounts" })
      .waitFor();
    const { tokens } = world.hostPages;
    expect(tokens.length).toBeGreaterThan(1);
    const places = [
      ...addresses,
      await page.evaluate<string>(EVERYTHING_KEPT),
      JSON.stringify(await visitor.context.cookies()),
    ];
    expect(places.join("\n")).toContain("patchbay-connect");
    for (const token of tokens) expect(places.filter((place) => place.includes(token))).toEqual([]);
    await visitor.leave();
  });
});

const ABORTED = /ERR_FAILED/;
const NEXT_TASK = "new Promise((resolve) => setTimeout(resolve, 0))";

/** The document with all shadow roots, what scripts can store, and the history entry. */
const EVERYTHING_KEPT = `(() => {
  const write = (node) => (node.outerHTML ?? "") + [...node.querySelectorAll("*")].map((each) =>
    each.shadowRoot ? [...each.shadowRoot.children].map(write).join("") : "").join("");
  return [write(document.documentElement), JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }),
    document.cookie, JSON.stringify(history.state), location.href].join("\\n");
})()`;

async function connections(sdk: Awaited<ReturnType<BrowserWorld["addHostPage"]>>["sdk"]): Promise<readonly string[]> {
  return (await sdk.connections.list({ tenantId: "acme" }).toArray({ limit: 10 })).map(({ status }) => status);
}
