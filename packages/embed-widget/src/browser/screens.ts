import type { Page } from "playwright-core";
import { aConnection, type Answers } from "./backend.ts";
import type { World, WorldOptions } from "./harness.ts";

/** How a screen is reached, as a person reaches it. */
export interface Scene {
  readonly name: string;
  readonly world?: WorldOptions;
  readonly prepare?: (answers: Answers) => void;
  readonly reach: (world: World) => Promise<void>;
}

export const SCENES: readonly Scene[] = [
  {
    name: "S1 loading",
    prepare: (answers) => (answers.session = "hang"),
    reach: async ({ page }) => {
      await openWidget(page);
      await page.getByRole("heading", { name: "Loading" }).waitFor();
    },
  },
  { name: "S2 list", prepare: connected(), reach: openList },
  { name: "S4 no apps", prepare: (answers) => (answers.providers = []), reach: openList },
  { name: "S5 consent", reach: ({ page }) => toConsent(page) },
  { name: "S6 store address", reach: ({ page }) => toAddress(page) },
  { name: "S7 wrong form", reach: async ({ page }) => typeShop(page, "ac me", "ends in .myshopify.com") },
  {
    name: "S8 no such store",
    prepare: (answers) => (answers.resolve = { status: 404, code: "shop_not_found" }),
    reach: async ({ page }) => typeShop(page, "acmee", "couldn’t find a store at acmee.myshopify.com"),
  },
  {
    name: "S11 waiting",
    reach: async (world) => {
      await toWindow(world);
      await world.page.getByRole("heading", { name: "Finish in the Shopify window" }).waitFor();
    },
  },
  {
    name: "S12 maybe closed",
    reach: async (world) => {
      const popup = await toWindow(world);
      await popup.waitForURL(/consent/);
      await popup.close();
      await world.page.locator("p.text", { hasText: "Closed it by mistake?" }).waitFor();
    },
  },
  {
    name: "S13 blocked",
    world: { blockPopups: true },
    reach: async ({ page }) => {
      await toConsent(page);
      await page.getByRole("button", { name: "Continue to Shopify" }).click();
      await page.getByRole("heading", { name: "Your browser blocked the Shopify window" }).waitFor();
    },
  },
  {
    name: "S15 finishing",
    prepare: (answers) => (answers.complete = "hang"),
    reach: async (world) => {
      await answerConsent(world, "Install");
      await world.page.getByRole("heading", { name: "Checking your Shopify account" }).waitFor();
    },
  },
  {
    name: "S16 success",
    reach: async (world) => {
      await answerConsent(world, "Install");
      await world.page.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    },
  },
  {
    name: "S17 denied",
    reach: async (world) => {
      await answerConsent(world, "Cancel");
      await world.page.getByRole("heading", { name: "You didn’t give access" }).waitFor();
    },
  },
  {
    name: "S20 already connected",
    prepare: (answers) => {
      connected()(answers);
      answers.complete = { status: 409, code: "already_connected" };
    },
    reach: async (world) => {
      await toManage(world.page);
      await world.page.getByRole("button", { name: "Connect another Shopify account" }).click();
      await typeShop(world.page, "acme", "will be able to");
      const popup = await clickThrough(world);
      await popup.getByRole("link", { name: "Install" }).click();
      await world.page.getByRole("heading", { name: "This account is already connected" }).waitFor();
    },
  },
  {
    name: "S23 session expired",
    prepare: (answers) => answers.tokens.clear(),
    reach: async ({ page }) => {
      await openWidget(page);
      await page.getByRole("heading", { name: "This session has expired" }).waitFor();
    },
  },
  {
    name: "S24 provider down",
    prepare: (answers) => (answers.resolve = { status: 502, code: "provider_unavailable" }),
    reach: async ({ page }) => typeShop(page, "acme", "Shopify isn’t responding"),
  },
  {
    name: "S25 rate limited",
    prepare: (answers) => (answers.resolve = { status: 429, code: "rate_limited", retryAfterSeconds: 150 }),
    reach: async ({ page }) => typeShop(page, "acme", "Try again in 3 minutes."),
  },
  {
    name: "S26 offline",
    reach: async ({ page, context }) => {
      await toAddress(page);
      await context.setOffline(true);
      await page.locator(".banner", { hasText: "You’re offline" }).waitFor();
    },
  },
  {
    name: "S27 error",
    prepare: (answers) => (answers.session = { status: 500, code: "internal" }),
    reach: async ({ page }) => {
      await openWidget(page);
      await page.getByRole("button", { name: "Copy id" }).waitFor();
    },
  },
  { name: "S29 manage", prepare: connected(), reach: ({ page }) => toManage(page) },
  {
    name: "S29 importing",
    prepare: connected(),
    reach: async ({ page }) => {
      await toManage(page);
      await page.getByRole("button", { name: "Sync now" }).click();
      await page.getByRole("progressbar", { name: "First import" }).waitFor();
    },
  },
  {
    name: "S29 needs attention",
    prepare: connected({ status: "reauthorizationRequired" }),
    reach: ({ page }) => toManage(page),
  },
  {
    name: "S31 disconnect",
    prepare: connected(),
    reach: async ({ page }) => {
      await toManage(page);
      await page.getByRole("button", { name: "Disconnect" }).click();
      await page.getByRole("heading", { name: "Disconnect Shopify?" }).waitFor();
    },
  },
];

/** Clicks the host's button, unless the widget is part of the page. */
export async function openWidget(page: Page): Promise<void> {
  if ((await page.locator("patchbay-connect[mode=inline], patchbay-connect:not([mode])").count()) > 0) return;
  await page.getByRole("button", { name: "Connect your store" }).click();
}

export async function toAddress(page: Page): Promise<void> {
  await openWidget(page);
  await page.getByRole("button", { name: "Shopify" }).click();
  await page.getByLabel("Your Shopify store address").waitFor();
}

export async function toConsent(page: Page): Promise<void> {
  await typeShop(page, "acme", "Northwind will be able to:");
}

/** Clicks through to the provider's page in its window. */
export async function toWindow(world: World): Promise<Page> {
  await toConsent(world.page);
  return clickThrough(world);
}

export async function answerConsent(world: World, answer: "Install" | "Cancel"): Promise<void> {
  const popup = await toWindow(world);
  await popup.getByRole("link", { name: answer }).click();
}

export async function toManage(page: Page): Promise<void> {
  await openWidget(page);
  await page.getByRole("button", { name: "Acme Outdoor" }).click();
  await page.getByText("Last synced").waitFor();
}

async function clickThrough({ page, context }: World): Promise<Page> {
  const opened = context.waitForEvent("page");
  await page.getByRole("button", { name: "Continue to Shopify" }).click();
  return opened;
}

async function typeShop(page: Page, typed: string, answer: string): Promise<void> {
  const field = page.getByLabel("Your Shopify store address");
  if (!(await field.isVisible())) await toAddress(page);
  await field.fill(typed);
  await field.press("Enter");
  await page.getByText(answer).first().waitFor();
}

async function openList({ page }: World): Promise<void> {
  await openWidget(page);
  await page.getByRole("heading", { name: "Connect your accounts" }).waitFor();
}

function connected(changes: Parameters<typeof aConnection>[0] = {}): (answers: Answers) => void {
  return (answers) => {
    answers.connections = [aConnection(changes)];
    answers.connection = changes;
  };
}
