import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";

let product: TestProduct;
beforeAll(async () => {
  product = await startTestProduct();
});
afterAll(() => product.close());

describe("the loop", () => {
  test("brings a store's orders in, and tells the host of a new one in the feed", async () => {
    const workspace = await product.addWorkspace();
    await connectStore(product, workspace);
    const { sdk } = workspace;
    const before = await sdk.tenant("acme").records.list("order").toArray({ limit: 1_000 });
    expect(before.length).toBeGreaterThan(5);
    const placed = product.sandbox.shopify.act("acme-goods.myshopify.com", "place-order", {});
    const event = await waitFor(async () => {
      const events = await sdk.events.list().toArray({ limit: 1_000 });
      return events.find((each) => each.type === "order.created");
    });
    expect(event.data.object).toMatchObject({ object: "order", name: placed["name"] });
  });
});
