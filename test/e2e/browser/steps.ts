import type { BrowserContext, Page } from "playwright-core";
import { SHOP } from "./world.ts";
import type { Visitor } from "./visitor.ts";

/** From the list to what will be read (S2, S6, S5). */
export async function chooseShop({ widget }: Pick<Visitor, "widget">, shop = SHOP): Promise<void> {
  await widget.getByRole("button", { name: /Shopify/ }).click();
  await typeShop({ widget }, shop);
  await widget.getByRole("button", { name: "Continue to Shopify" }).waitFor();
}

export async function typeShop({ widget }: Pick<Visitor, "widget">, shop: string): Promise<void> {
  await widget.getByRole("textbox").fill(shop);
  await widget.getByRole("button", { name: "Continue", exact: true }).click();
}

/** The window with the store's consent page. Taken from the context: a severed window is nobody's popup. */
export async function continueInPopup({ widget, context }: Pick<Visitor, "widget" | "context">): Promise<Page> {
  const opened = context.waitForEvent("page");
  await widget.getByRole("button", { name: "Continue to Shopify" }).click();
  const popup = await opened;
  await popup.getByRole("button", { name: "Install app" }).waitFor();
  return popup;
}

export async function approve(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Install app" }).click();
}

/** All of it, by popup. */
export async function connect(visitor: Visitor, shop = SHOP): Promise<void> {
  await chooseShop(visitor, shop);
  await approve(await continueInPopup(visitor));
  await visitor.widget.getByRole("heading", { name: "Shopify is connected" }).waitFor();
}

/** Keeps the windows of a context from following some addresses; gives the first that one wanted to go to. */
export async function catchNavigation(context: BrowserContext, path: string): Promise<() => Promise<string>> {
  const caught = Promise.withResolvers<string>();
  await context.route(`**${path}**`, async (route) => {
    caught.resolve(route.request().url());
    await route.abort();
  });
  return () => caught.promise;
}

/** Keeps a window at the store's consent page; gives where the store's answer would have sent it. */
export async function catchAnswer(context: BrowserContext): Promise<() => Promise<string>> {
  const caught = Promise.withResolvers<string>();
  await context.route("**/admin/oauth/authorize**", async (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    const answer = await route.fetch({ maxRedirects: 0 });
    caught.resolve(answer.headers()["location"] ?? "");
    return route.abort();
  });
  return () => caught.promise;
}
