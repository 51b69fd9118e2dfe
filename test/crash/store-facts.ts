import type { Sandbox } from "@patchbay/sandbox";
import { totalsOf } from "../../packages/sandbox/src/shopify/totals.ts";
import type { StoreFact } from "./history.ts";

type Catalog = ReturnType<Sandbox["shopify"]["catalog"]>;
type Content = Readonly<Record<string, unknown>>;

/** What a store holds now, in the words of {@link recordContent}: amounts in minor units, lines, refunds, notes. */
export function storeFacts(tenant: string, catalog: Catalog): readonly StoreFact[] {
  return [...account(catalog), ...orders(catalog), ...products(catalog), ...customers(catalog)].map(
    ([model, id, content]) => ({
      tenant,
      model,
      remoteId: id.toString(),
      content: JSON.stringify(content),
    }),
  );
}

/** The same of a stored record; `null` for models that are not compared. */
export function recordContent(model: string, data: Content): string | null {
  const content = contentOf(model, data);
  return content === null ? null : JSON.stringify(content);
}

type Fact = readonly [model: string, id: bigint, content: Content];

function* account({ profile }: Catalog): Generator<Fact> {
  yield ["account", profile.id, { name: profile.name, currency: profile.currency }];
}

function* orders(catalog: Catalog): Generator<Fact> {
  for (const order of catalog.orders.values()) {
    const { total, current, received, refunded } = totalsOf(order);
    yield [
      "order",
      order.id,
      {
        total: total.total.shop,
        currentTotal: current.total.shop,
        paid: received.shop,
        refunded: refunded.shop,
        note: order.note,
        canceled: order.cancelledAt !== null,
        lines: order.lines.map((line) => `${line.id}×${line.quantity}`),
        refunds: order.refunds.length,
      },
    ];
    for (const refund of order.refunds) {
      const amount = order.transactions
        .filter(({ id, status }) => refund.transactionIds.includes(id) && status === "SUCCESS")
        .reduce((sum, transaction) => sum + transaction.amount.shop, 0);
      yield ["refund", refund.id, { amount, lines: refund.lines.map((line) => `${line.lineItemId}×${line.quantity}`) }];
    }
  }
}

function* products(catalog: Catalog): Generator<Fact> {
  for (const product of catalog.products.values()) {
    yield ["product", product.id, { name: product.title, variants: product.variants.length }];
    for (const variant of product.variants) yield ["variant", variant.id, { price: variant.price }];
  }
}

function* customers(catalog: Catalog): Generator<Fact> {
  for (const { id, email, note } of catalog.customers.values()) yield ["customer", id, { email, note }];
}

function contentOf(model: string, data: Content): Content | null {
  switch (model) {
    case "account":
      return { name: data["name"], currency: data["defaultCurrency"] };
    case "order":
      return {
        total: data["totalAmount"],
        currentTotal: data["currentTotalAmount"],
        paid: data["paidAmount"],
        refunded: data["refundedAmount"],
        note: data["note"],
        canceled: data["status"] === "canceled",
        lines: listOf(data["lines"]).map((line) => `${String(line["remoteId"])}×${String(line["quantity"])}`),
        refunds: listOf(data["refundIds"]).length,
      };
    case "refund":
      return {
        amount: data["amount"],
        lines: listOf(data["lines"]).map((line) => `${String(line["orderLineRemoteId"])}×${String(line["quantity"])}`),
      };
    case "product":
      return { name: data["name"], variants: listOf(data["variantIds"]).length };
    case "variant":
      return { price: data["priceAmount"] };
    case "customer":
      return { email: data["email"], note: data["note"] };
    default:
      return null;
  }
}

/** Lists of the record's schema, which the product checked before it stored them. */
function listOf(value: unknown): readonly Content[] {
  return Array.isArray(value) ? (value as readonly Content[]) : [];
}
