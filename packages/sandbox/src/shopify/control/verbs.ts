import { z } from "zod";
import type { Services } from "../http/env.ts";
import { customApp } from "../actions/custom-app.ts";
import { revokeTokens } from "../oauth/tokens.ts";
import { CALM, type ShopState } from "../world.ts";
import { cancel, fulfill, placeOrder, refund, updateNote } from "./order-verbs.ts";
import type { Outcome } from "./outcome.ts";
import {
  editPrice,
  removeProduct,
  sendCompliance,
  setSwitches,
  uninstallApp,
  updateNoteOfCustomer,
} from "./store-verbs.ts";

export interface Verb {
  readonly run: (services: Services, shop: ShopState, input: unknown) => Outcome;
}

const id = z
  .string()
  .trim()
  .regex(/^(gid:\/\/shopify\/\w+\/)?\d{1,20}$/)
  .transform((text) => BigInt(text.replace(/^.*\//, "")));
const optionalId = z.union([z.literal("").transform(() => undefined), id]).optional();
const optionalAmount = z
  .union([
    z.literal("").transform(() => undefined),
    z
      .string()
      .trim()
      .regex(/^\d{1,9}(\.\d{1,3})?$/),
  ])
  .optional();
const flag = z.union([
  z.boolean(),
  z.enum(["on", "true", "1"]).transform(() => true),
  z.enum(["", "off", "false", "0"]).transform(() => false),
]);
const whole = (max: number) => z.coerce.number().int().min(0).max(max);

/** Everything the control page and `/_control` can do to a store, by name. */
export const VERBS: Readonly<Record<string, Verb>> = {
  "place-order": verb(
    z.object({
      amount: optionalAmount,
      customer: z.enum(["any", "guest", "new", "known"]).default("any"),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/)
        .optional(),
    }),
    placeOrder,
  ),
  refund: verb(
    z.object({
      orderId: optionalId,
      amount: optionalAmount,
      lines: z.enum(["all", "one", "none"]).optional(),
      restock: flag.optional(),
    }),
    refund,
  ),
  "update-order": verb(z.object({ orderId: optionalId, note: z.string().max(5000) }), updateNote),
  "cancel-order": verb(z.object({ orderId: optionalId }), cancel),
  "fulfill-order": verb(z.object({ orderId: optionalId }), fulfill),
  "edit-product": verb(z.object({ productId: optionalId, price: optionalAmount }), editPrice),
  "delete-product": verb(z.object({ productId: optionalId }), removeProduct),
  "update-customer": verb(
    z.object({ customerId: optionalId, note: z.string().max(5000).default("Called to say hello.") }),
    updateNoteOfCustomer,
  ),
  uninstall: verb(z.object({ clientId: z.string().optional() }), uninstallApp),
  "custom-app": verb(z.object({ scopes: z.string().max(2000) }), (services, shop, { scopes }) => ({
    message: "Custom app made. Copy its token now.",
    ...customApp(services.world, shop, scopes),
  })),
  "revoke-tokens": verb(z.object({}), (_services, shop) => {
    const count = revokeTokens(shop);
    return { message: `${count} access tokens revoked. The app stays installed.`, count };
  }),
  switches: verb(
    z.object({
      latencyMs: whole(60_000).optional(),
      failCount: whole(10_000).optional(),
      failStatus: z
        .union([z.literal(429), z.literal(500), z.literal(502), z.enum(["429", "500", "502"]).transform(Number)])
        .optional(),
      dropNext: whole(10_000).optional(),
      throttleNext: whole(10_000).optional(),
      duplicates: whole(20).optional(),
      disorder: flag.optional(),
      hold: flag.optional(),
      sixtyDayWindow: flag.optional(),
      protectedData: flag.optional(),
    }),
    setSwitches,
  ),
  calm: verb(z.object({}), (services, shop) => {
    shop.switches = structuredClone(CALM);
    const released = services.dispatcher.release(shop);
    return { message: "Everything works again.", released };
  }),
  "release-webhooks": verb(z.object({}), (services, shop) => {
    shop.switches.hold = false;
    const released = services.dispatcher.release(shop);
    return { message: `${released} held webhooks released.`, released };
  }),
  "retry-webhooks": verb(z.object({}), (services) => {
    const started = services.dispatcher.retryDueNow();
    return { message: `${started} due webhooks sent again.`, started };
  }),
  compliance: verb(
    z.object({
      topic: z.enum(["customers/data_request", "customers/redact", "shop/redact"]),
      clientId: z.string().optional(),
      customerId: optionalId,
    }),
    sendCompliance,
  ),
};

function verb<T>(schema: z.ZodType<T>, run: (services: Services, shop: ShopState, input: T) => Outcome): Verb {
  return { run: (services, shop, input) => run(services, shop, schema.parse(input)) };
}
