import { updateCustomer } from "../actions/change-customer.ts";
import { deleteProduct, updateVariant } from "../actions/change-product.ts";
import { uninstall } from "../actions/uninstall.ts";
import { announceUninstall, liveStore, type Services } from "../http/env.ts";
import type { Product } from "../model.ts";
import { toDecimal } from "../money.ts";
import { pick, Refused } from "../store.ts";
import type { ShopState, Switches } from "../world.ts";
import { minor, type Outcome } from "./outcome.ts";

export function editPrice(
  services: Services,
  shop: ShopState,
  input: { productId?: bigint | undefined; price?: string | undefined },
): Outcome {
  const product = productFor(services, shop, input.productId);
  const [variant] = product.variants;
  if (!variant) throw new Refused("The product has no variant.");
  const { currency } = shop.catalog.profile;
  const price = input.price === undefined ? variant.price + 100 : minor(input.price, currency);
  updateVariant(liveStore(services, shop), product, variant, { price });
  return {
    message: `${product.title} now costs ${toDecimal(price, currency)} ${currency}.`,
    productId: product.id.toString(),
    variantId: variant.id.toString(),
    price: toDecimal(price, currency),
  };
}

export function removeProduct(services: Services, shop: ShopState, input: { productId?: bigint | undefined }): Outcome {
  const product = productFor(services, shop, input.productId);
  deleteProduct(liveStore(services, shop), product);
  return { message: `${product.title} deleted.`, productId: product.id.toString() };
}

export function updateNoteOfCustomer(
  services: Services,
  shop: ShopState,
  input: { customerId?: bigint | undefined; note: string },
): Outcome {
  const customer =
    input.customerId === undefined
      ? pick(services.world.dice, [...shop.catalog.customers.values()])
      : shop.catalog.customers.get(input.customerId);
  if (!customer) throw new Refused("This store has no such customer.");
  updateCustomer(liveStore(services, shop), customer, { note: input.note });
  return { message: `Note of ${customer.firstName ?? "the customer"} changed.`, customerId: customer.id.toString() };
}

export function uninstallApp(services: Services, shop: ShopState, input: { clientId?: string | undefined }): Outcome {
  const asked = input.clientId ? [input.clientId] : [...shop.installs.keys()];
  const gone = asked.filter((clientId) => uninstall(shop, clientId, announceUninstall(services, shop)));
  if (gone.length === 0) throw new Refused("No app is installed in this store.");
  return { message: `Uninstalled: ${gone.join(", ")}.`, clientIds: gone };
}

type SwitchesInput = { readonly [Name in keyof Switches]?: Switches[Name] | undefined } & {
  readonly failCount?: number | undefined;
  readonly failStatus?: number | undefined;
};

export function setSwitches(services: Services, shop: ShopState, input: SwitchesInput): Outcome {
  const { failCount, failStatus, ...rest } = input;
  const { switches } = shop;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  Object.assign(switches, given);
  if (failStatus !== undefined) switches.failNext.status = failStatus === 429 ? 429 : failStatus === 502 ? 502 : 500;
  if (failCount !== undefined) switches.failNext.count = failCount;
  if (rest.hold === false) services.dispatcher.release(shop);
  return { message: "Switches set." };
}

export function sendCompliance(
  services: Services,
  shop: ShopState,
  input: { topic: string; clientId?: string | undefined; customerId?: bigint | undefined },
): Outcome {
  const { id: shopId, domain } = shop.catalog.profile;
  const clientId =
    input.clientId ?? [...services.world.state.apps.values()].find((app) => app.complianceUrl)?.clientId ?? "";
  const customer =
    input.customerId === undefined
      ? pick(services.world.dice, [...shop.catalog.customers.values()])
      : shop.catalog.customers.get(input.customerId);
  const orders = [...shop.catalog.orders.values()]
    .filter((order) => order.customerId === customer?.id)
    .map((order) => order.id);
  const person = { id: customer?.id ?? 0n, email: customer?.email ?? null, phone: customer?.phone ?? null };
  const body = {
    shop_id: shopId,
    shop_domain: domain,
    ...(input.topic === "shop/redact" ? {} : { customer: person }),
    ...(input.topic === "customers/data_request" ? { orders_requested: orders, data_request: { id: 9999 } } : {}),
    ...(input.topic === "customers/redact" ? { orders_to_redact: orders } : {}),
  };
  if (!services.dispatcher.compliance(shop, clientId, input.topic, body))
    throw new Refused("No app has registered a compliance URL.");
  return { message: `${input.topic} sent.`, clientId, customerId: person.id.toString() };
}

function productFor(services: Services, shop: ShopState, productId: bigint | undefined): Product {
  const product =
    productId === undefined
      ? pick(services.world.dice, [...shop.catalog.products.values()])
      : shop.catalog.products.get(productId);
  if (!product) throw new Refused("This store has no such product.");
  return product;
}
