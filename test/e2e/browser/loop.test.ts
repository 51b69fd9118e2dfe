import type { Page } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { waitFor } from "../../harness/wait-for.ts";
import { hasChromium, needChromium } from "./chromium.ts";
import { serve } from "./serve.ts";
import { approve, chooseShop, continueInPopup } from "./steps.ts";
import { SHOP, startBrowserWorld, type BrowserWorld } from "./world.ts";

let world: BrowserWorld;
beforeAll(async () => {
  if (hasChromium) world = await startBrowserWorld();
});
beforeEach(needChromium);
afterAll(() => (hasChromium ? world.close() : undefined));

const IMPORT_MS = 60_000;
const EVENT_MS = 20_000;

describe("the example product", () => {
  test("shows a store's orders and refunds as verified events, with the amounts that were typed", async () => {
    const tideline = await world.startTideline();
    const receiver = await startReceiver(world.receiverPort);
    const { secret } = await tideline.sdk.webhookEndpoints.create({ url: receiver.url });
    const visitor = await world.visit(tideline.url);
    const { page, widget, context } = visitor;

    await chooseShop(visitor);
    await approve(await continueInPopup(visitor));
    await widget.getByRole("heading", { name: "Shopify is connected" }).waitFor();
    await widget.getByText(/\d+ records imported/).waitFor({ timeout: IMPORT_MS });
    await widget.getByRole("button", { name: "Done" }).click();
    await widget.getByText("Connected", { exact: true }).waitFor();
    await page.getByText("Latest orders").waitFor();

    const control = await context.newPage();
    await control.goto(`${world.sandboxOrigin}/_shops/${SHOP}/control`);
    await control.getByLabel("Total, USD").first().fill("123.45");
    await control.getByRole("button", { name: "Place an order" }).click();
    await page.goto(`${tideline.url}/events`);
    const created = eventRow(page, "order.created", "$123.45");
    await created.waitFor({ timeout: EVENT_MS });
    expect(await created.getByText("Verified").count()).toBe(1);

    const newest = control.locator("li").filter({ hasText: "123.45 USD" });
    await newest.getByText("Change").click();
    await newest.getByLabel("Refund, USD").fill("20.05");
    await newest.getByRole("button", { name: "Refund" }).click();
    await eventRow(page, "refund.created", "$20.05").waitFor({ timeout: EVENT_MS });
    await eventRow(page, "order.updated", "$123.45").waitFor({ timeout: EVENT_MS });

    await page.goto(tideline.url);
    await page.getByText("−$20.05 refunded").or(page.getByText("-$20.05 refunded")).waitFor();

    const events = await waitFor(() => (receiver.received.length >= 3 ? receiver.verified(secret) : null), {
      timeoutMs: EVENT_MS,
      what: "three deliveries",
    });
    expect(events.get("order.created")).toMatchObject({ totalAmount: 123_45, currency: "USD", currencyExponent: 2 });
    expect(events.get("refund.created")).toMatchObject({ amount: 20_05 });
    expect(events.get("order.updated")).toMatchObject({ totalAmount: 123_45, refundedAmount: 20_05 });
    await receiver.close();
    await visitor.leave();
  });
});

function eventRow(page: Page, type: string, amount: string) {
  return page.locator(`details[data-type="${type}"] summary`).filter({ hasText: amount });
}

/** A host's endpoint, which checks signatures with the published package instead of our code. */
async function startReceiver(port: number) {
  const received: { readonly body: string; readonly headers: Record<string, string> }[] = [];
  const server = await serve(port, async ({ headers }, body) => {
    received.push({ body, headers: headers as Record<string, string> });
    return { status: 204 };
  });
  return {
    url: `http://localhost:${port}/hook`,
    received,
    /** The object of the newest event of each type. @throws when a signature is wrong */
    verified(secret: string): ReadonlyMap<string, unknown> {
      const webhook = new Webhook(secret);
      const events = received.map(({ body, headers }) => webhook.verify(body, headers) as Delivered);
      return new Map(events.map(({ type, data }) => [type, data.object]));
    },
    close: () => server.close(),
  };
}

interface Delivered {
  readonly type: string;
  readonly data: { readonly object: unknown };
}
