import type { Customer } from "../../model.ts";
import { customerHistory } from "../../totals.ts";
import { paginateInOrder, type PageArgs } from "../connections.ts";
import type { Ctx } from "../context.ts";
import { orderConnection, type OrdersArgs, visibleOrders } from "../lists.ts";
import { addressView, gid, money, time } from "./parts.ts";

export function customerView(ctx: Ctx, customer: Customer) {
  const { currency, domain } = ctx.shop.catalog.profile;
  const name = [customer.firstName, customer.lastName].filter(Boolean).join(" ");
  const mine = () => visibleOrders(ctx).filter((order) => order.customerId === customer.id);
  return {
    __typename: "Customer",
    id: gid("Customer", customer.id),
    legacyResourceId: customer.id.toString(),
    displayName: name || (customer.email ?? customer.phone ?? "Customer"),
    firstName: customer.firstName,
    lastName: customer.lastName,
    state: customer.state,
    locale: customer.locale,
    note: customer.note,
    tags: [...customer.tags].sort(),
    taxExempt: customer.taxExempt,
    taxExemptions: [],
    verifiedEmail: customer.verifiedEmail,
    canDelete: () => customerHistory(ctx.shop.catalog, customer.id).orders.length === 0,
    dataSaleOptOut: false,
    multipassIdentifier: null,
    lifetimeDuration: "1 year",
    productSubscriberStatus: "NEVER_SUBSCRIBED",
    numberOfOrders: () => String(customerHistory(ctx.shop.catalog, customer.id).orders.length),
    amountSpent: () => money(customerHistory(ctx.shop.catalog, customer.id).spent, currency),
    defaultEmailAddress:
      customer.email === null
        ? null
        : {
            emailAddress: customer.email,
            marketingState: customer.marketing,
            marketingOptInLevel: customer.marketing === "SUBSCRIBED" ? "SINGLE_OPT_IN" : null,
            marketingUpdatedAt: customer.marketing === "SUBSCRIBED" ? time(customer.createdAt) : null,
            marketingUnsubscribeUrl: `https://${domain}/account/unsubscribe/${customer.id}`,
            openTrackingLevel: "UNKNOWN",
            openTrackingUrl: `https://${domain}/account/tracking/${customer.id}`,
            sourceLocation: null,
            validFormat: true,
          },
    defaultPhoneNumber: customer.phone === null ? null : { phoneNumber: customer.phone },
    defaultAddress: addressView(customer.addresses[0] ?? null),
    addressesV2: (args: PageArgs) => paginateInOrder(ctx, customer.addresses, args, addressView),
    image: {
      id: null,
      altText: name,
      height: 128,
      width: 128,
      thumbhash: null,
      url: `https://${domain}/avatars/${customer.id}.png`,
    },
    lastOrder: () => {
      const last = mine()
        .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
        .at(-1);
      return last ? ctx.views.order(ctx, last) : null;
    },
    orders: (args: OrdersArgs) => orderConnection(ctx, mine(), args),
    createdAt: time(customer.createdAt),
    updatedAt: time(customer.updatedAt),
  };
}
