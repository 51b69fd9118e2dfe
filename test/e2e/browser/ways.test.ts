import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { waitFor } from "../../harness/wait-for.ts";
import { hasChromium, needChromium } from "./chromium.ts";
import { approve, chooseShop, connect, continueInPopup, typeShop } from "./steps.ts";
import { SHOP, startBrowserWorld, type BrowserWorld } from "./world.ts";

let world: BrowserWorld;
beforeAll(async () => {
  if (hasChromium) world = await startBrowserWorld();
});
beforeEach(needChromium);
afterAll(() => (hasChromium ? world.close() : undefined));

const IMPORT_MS = 60_000;

describe("when the browser blocks windows", () => {
  test("goes on in this tab, comes back to the page and is connected there", async () => {
    const { url, sdk } = await world.addHostPage();
    const visitor = await world.visit("about:blank");
    const { page, widget } = visitor;
    await visitor.context.addInitScript("window.open = () => null");
    await page.goto(url);
    await chooseShop(visitor);
    await widget.getByRole("button", { name: "Continue to Shopify" }).click();
    await widget.getByRole("heading", { name: "Your browser blocked the Shopify window" }).waitFor();
    await widget.getByRole("button", { name: "Continue in this tab" }).click();
    await approve(page);

    await widget.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    expect(page.url()).toBe(url);
    expect(await statuses(sdk)).toEqual(["active"]);
    await visitor.leave();
  });

  test("comes back to the page after a refusal as well", async () => {
    const { url, sdk } = await world.addHostPage();
    const visitor = await world.visit("about:blank");
    const { page, widget } = visitor;
    await visitor.context.addInitScript("window.open = () => null");
    await page.goto(url);
    await chooseShop(visitor);
    await widget.getByRole("button", { name: "Continue to Shopify" }).click();
    await widget.getByRole("button", { name: "Continue in this tab" }).click();
    await page.getByRole("button", { name: "Cancel" }).click();

    await widget.getByRole("heading", { name: "You didn’t give access" }).waitFor();
    expect(page.url()).toBe(url);
    expect(await statuses(sdk)).toEqual([]);
    await visitor.leave();
  });
});

describe("a page that is reloaded while the window is open", () => {
  test("is connected once the person has confirmed in the window", async () => {
    const { url, sdk } = await world.addHostPage();
    const visitor = await world.visit(url);
    const { page, widget } = visitor;
    await chooseShop(visitor);
    const popup = await continueInPopup(visitor);
    await page.reload();
    await widget.getByRole("heading", { name: "Finish in the Shopify window" }).waitFor();
    await approve(popup);

    await popup.getByRole("heading", { name: "Connect Acme Goods to Tideline for jane@example.com?" }).waitFor();
    expect(await statuses(sdk)).toEqual([]);
    await popup.getByRole("button", { name: "Connect", exact: true }).click();
    await widget.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    expect(await statuses(sdk)).toEqual(["active"]);
    await visitor.leave();
  });
});

describe("a person who does not go through with it", () => {
  test("sees that nothing was connected, and can try again", async () => {
    const { url, sdk } = await world.addHostPage();
    const visitor = await world.visit(url);
    const { widget } = visitor;
    await chooseShop(visitor);
    const popup = await continueInPopup(visitor);
    await popup.getByRole("button", { name: "Cancel" }).click();
    await widget.getByRole("heading", { name: "You didn’t give access" }).waitFor();
    expect(await statuses(sdk)).toEqual([]);
    await waitFor(() => popup.isClosed(), { what: "the window to close" });

    const opened = visitor.context.waitForEvent("page");
    await widget.getByRole("button", { name: "Try again" }).click();
    await approve(await opened);
    await widget.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    await visitor.leave();
  });

  test("is asked whether the window was closed by mistake, which is never an error", async () => {
    const { url } = await world.addHostPage();
    const visitor = await world.visit(url);
    const { widget } = visitor;
    await chooseShop(visitor);
    await (await continueInPopup(visitor)).close();
    await widget.getByText("Closed it by mistake?").first().waitFor();
    await widget.getByRole("heading", { name: "Finish in the Shopify window" }).waitFor();

    const opened = visitor.context.waitForEvent("page");
    await widget.getByRole("button", { name: "Open window again" }).click();
    await approve(await opened);
    await widget.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    await visitor.leave();
  });
});

describe("a shop's address", () => {
  test.each([
    ["two words", "acme goods", "Enter the address that ends in .myshopify.com, for example"],
    ["a public website", "www.acme-goods.com", "That looks like your public website. Use the .myshopify.com address."],
    ["a store that does not exist", "no-such-store", "We couldn’t find a store at no-such-store.myshopify.com."],
  ])("that is %s is refused at its field, in words", async (_what, typed, words) => {
    const { url } = await world.addHostPage();
    const visitor = await world.visit(url);
    const { page, widget } = visitor;
    await widget.getByRole("button", { name: /Shopify/ }).click();
    await typeShop(visitor, typed);
    await widget.getByText(words).waitFor();
    const field = widget.getByRole("textbox");
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    expect(await page.evaluate(FOCUSED_FIELD)).toBe(true);
    await visitor.leave(/status of 4\d\d/);
  });

  test.each(["acme-goods", `https://${SHOP}/products`, "https://admin.shopify.com/store/acme-goods/orders"])(
    "may be written as %s",
    async (typed) => {
      const { url } = await world.addHostPage();
      const visitor = await world.visit(url);
      await chooseShop(visitor, typed);
      await visitor.widget.getByText(SHOP).waitFor();
      await visitor.leave();
    },
  );
});

describe("a connected account", () => {
  test("is found again when it is connected twice, and can be managed from there", async () => {
    const { url, sdk } = await world.addHostPage();
    const visitor = await world.visit(url);
    const { widget } = visitor;
    await connect(visitor);
    await widget.getByText(/\d+ records imported/).waitFor({ timeout: IMPORT_MS });
    await widget.getByRole("button", { name: "Done" }).click();
    await widget.getByRole("button", { name: /Acme Goods/ }).click();
    await widget.getByRole("button", { name: "Connect another Shopify account" }).click();
    await typeShop(visitor, SHOP);
    await approve(await continueInPopup(visitor));
    await widget.getByRole("heading", { name: "This account is already connected" }).waitFor();
    await widget
      .getByText(/^Acme Goods was connected on /)
      .first()
      .waitFor();

    await widget.getByRole("button", { name: "Manage it" }).click();
    await widget.getByRole("button", { name: "Sync now" }).waitFor();
    expect(await statuses(sdk)).toEqual(["active"]);
    await visitor.leave();
  });

  test("is disconnected after a second question, and the store is told", async () => {
    const { url, sdk } = await world.addHostPage();
    const visitor = await world.visit(url);
    const { page, widget, context } = visitor;
    await connect(visitor, "maison-lumiere");
    await widget.getByRole("button", { name: "Done" }).click();
    await widget.getByRole("button", { name: /Maison Lumière/ }).click();
    await widget.getByRole("button", { name: "Disconnect" }).click();
    await widget.getByRole("heading", { name: "Disconnect Shopify?" }).waitFor();
    // The safe answer has the focus.
    await page.keyboard.press("Enter");
    await widget.getByRole("button", { name: "Disconnect" }).click();
    await widget.getByRole("button", { name: "Disconnect Shopify" }).click();

    await widget.getByRole("heading", { name: "Connect your accounts" }).waitFor();
    expect(await widget.getByText("Maison Lumière").count()).toBe(0);
    expect(await statuses(sdk)).toEqual(["disconnected"]);
    const control = await context.newPage();
    await waitFor(
      async () => {
        await control.goto(`${world.sandboxOrigin}/_shops/maison-lumiere.myshopify.com/control`);
        return (await control.getByText("no app installed").count()) === 1;
      },
      { what: "the app to be uninstalled from the store", intervalMs: 200 },
    );
    await visitor.leave();
  });
});

describe("a session", () => {
  test("that has expired says so, and starts again with a new one", async () => {
    let isStale = true;
    const { url } = await world.addHostPage({ isStale: () => isStale });
    const visitor = await world.visit(url);
    const { widget } = visitor;
    await widget.getByRole("button", { name: /Shopify/ }).click();
    await world.product.database.sql`update connect_sessions set expires_at = now() - interval '1 minute'`;
    await typeShop(visitor, SHOP);
    await widget.getByRole("heading", { name: "This session has expired" }).waitFor();

    isStale = false;
    await widget.getByRole("button", { name: "Start again" }).click();
    await widget.getByRole("heading", { name: "Connect your accounts" }).waitFor();
    await visitor.leave(/status of 401/);
  });

  test("that expires unnoticed is renewed without a word", async () => {
    const { url } = await world.addHostPage();
    const visitor = await world.visit(url);
    await visitor.widget.getByRole("button", { name: /Shopify/ }).click();
    await world.product.database.sql`update connect_sessions set expires_at = now() - interval '1 minute'`;
    await typeShop(visitor, SHOP);
    await visitor.widget.getByRole("button", { name: "Continue to Shopify" }).waitFor();
    await visitor.leave(/status of 401/);
  });
});

describe("a browser that goes offline", () => {
  test("is told so, and goes on by itself where it was when it is back", async () => {
    const { url } = await world.addHostPage();
    const visitor = await world.visit(url);
    const { widget, context } = visitor;
    await widget.getByRole("button", { name: /Shopify/ }).click();
    await context.setOffline(true);
    await widget.getByText("You’re offline. We’ll continue when you’re back.").first().waitFor();
    await typeShop(visitor, SHOP);
    await context.setOffline(false);
    await widget.getByRole("button", { name: "Continue to Shopify" }).waitFor();
    expect(await widget.getByText("You’re offline").count()).toBe(0);
    await visitor.leave(/ERR_INTERNET_DISCONNECTED/);
  });
});

const FOCUSED_FIELD = `document.activeElement?.shadowRoot?.activeElement?.matches("input[aria-invalid=true]") === true`;

async function statuses(sdk: BrowserSdk): Promise<readonly string[]> {
  return (await sdk.connections.list({ tenantId: "acme" }).toArray({ limit: 10 })).map(({ status }) => status);
}

type BrowserSdk = Awaited<ReturnType<BrowserWorld["addHostPage"]>>["sdk"];
