import {
  defaultFieldResolver,
  getNamedType,
  type GraphQLFieldResolver,
  GraphQLError,
  isInterfaceType,
  isObjectType,
  type GraphQLNamedType,
} from "graphql";
import { allows } from "../oauth/scopes.ts";
import type { Ctx } from "./context.ts";
import { scopesFor } from "./schema.ts";

/** Resolves a field after checking the token's scopes and, for personal data, the store's approval switch. */
export const resolveField: GraphQLFieldResolver<unknown, Ctx> = (source, args, ctx, info) => {
  const field = info.parentType.getFields()[info.fieldName];
  const ofField = scopesFor(field?.astNode);
  const ofType = scopesOfResult(getNamedType(info.returnType));
  for (const any of [ofField, ofType]) {
    if (any.length > 0 && !allows(ctx.token.scopes, any)) throw accessDenied(info.fieldName, any);
  }
  if (!ctx.shop.switches.protectedData && PROTECTED.has(`${info.parentType.name}.${info.fieldName}`)) {
    throw notApproved(info.parentType.name, info.fieldName);
  }
  return defaultFieldResolver(source, args, ctx, info);
};

/** Personal fields that apps without approval for protected customer data get as null. */
const PROTECTED = new Set([
  "Customer.firstName",
  "Customer.lastName",
  "Customer.defaultEmailAddress",
  "Customer.defaultPhoneNumber",
  "Customer.defaultAddress",
  "Order.email",
  "Order.phone",
  "Order.billingAddress",
  "Order.shippingAddress",
  "Order.displayAddress",
]);

export function accessDenied(fieldName: string, any: readonly string[]): GraphQLError {
  const requiredAccess = any.map((scope) => `\`${scope}\` access scope`).join(" or ") + ".";
  return new GraphQLError(`Access denied for ${fieldName} field. Required access: ${requiredAccess}`, {
    extensions: { code: "ACCESS_DENIED", documentation: "https://shopify.dev/api/usage/access-scopes", requiredAccess },
  });
}

function notApproved(type: string, field: string): GraphQLError {
  const documentation = "https://shopify.dev/docs/apps/launch/protected-customer-data";
  return new GraphQLError(
    `This app is not approved to use the ${field} field. See ${documentation} for more details.`,
    {
      extensions: {
        code: "ACCESS_DENIED",
        documentation,
        requiredAccess: `Approval to read protected customer data (${type}.${field}).`,
      },
    },
  );
}

/** The scopes of what a field leads to; a connection needs those of its nodes. */
function scopesOfResult(type: GraphQLNamedType): readonly string[] {
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  const nodes = type.name.endsWith("Connection") ? type.getFields()["nodes"] : undefined;
  return nodes ? scopesOfResult(getNamedType(nodes.type)) : scopesFor(type.astNode);
}
