import { newId } from "../../store.ts";
import type { Subscription } from "../../world.ts";
import { isDeliverable } from "../../webhooks/addresses.ts";
import { missingScope, topicName } from "../../webhooks/topics.ts";
import { accessDenied } from "../access.ts";
import type { Ctx } from "../context.ts";
import { idOf } from "../gid.ts";
import { subscriptionView } from "../views/shop.ts";
import { type UserError, userError } from "./user-errors.ts";

interface SubscriptionInput {
  readonly uri?: string | null;
  readonly format?: string | null;
  readonly filter?: string | null;
  readonly includeFields?: readonly string[] | null;
  readonly metafieldNamespaces?: readonly string[] | null;
  readonly name?: string | null;
}

const MAX_SUBSCRIPTIONS = 1000;

export function webhookMutations(ctx: Ctx) {
  return {
    webhookSubscriptionCreate: (args: { readonly topic: string; readonly webhookSubscription: SubscriptionInput }) =>
      create(ctx, args.topic, args.webhookSubscription),
    webhookSubscriptionUpdate: (args: { readonly id: string; readonly webhookSubscription: SubscriptionInput }) =>
      update(ctx, args.id, args.webhookSubscription),
    webhookSubscriptionDelete: (args: { readonly id: string }) => remove(ctx, args.id),
  };
}

function create(ctx: Ctx, topicEnum: string, input: SubscriptionInput) {
  const lacking = missingScope(topicEnum, ctx.token.scopes);
  if (lacking) throw accessDenied("webhookSubscriptionCreate", [lacking]);
  const uri = input.uri ?? "";
  const errors = problems(ctx, topicName(topicEnum), uri, null);
  if (errors.length > 0) return { webhookSubscription: null, userErrors: errors };
  const subscription: Subscription = {
    id: newId(ctx.store),
    clientId: ctx.install.clientId,
    topic: topicName(topicEnum),
    topicEnum,
    uri,
    format: input.format ?? "JSON",
    filter: input.filter ?? null,
    includeFields: input.includeFields ?? [],
    metafieldNamespaces: input.metafieldNamespaces ?? [],
    name: input.name ?? null,
    apiVersion: ctx.apiVersion,
    createdAt: ctx.store.now(),
    updatedAt: ctx.store.now(),
  };
  ctx.shop.subscriptions.set(subscription.id, subscription);
  return { webhookSubscription: subscriptionView(subscription), userErrors: [] };
}

function update(ctx: Ctx, gid: string, input: SubscriptionInput) {
  const subscription = find(ctx, gid);
  if (!subscription)
    return { webhookSubscription: null, userErrors: [userError("Webhook subscription not found", ["id"])] };
  const uri = input.uri ?? subscription.uri;
  const errors = problems(ctx, subscription.topic, uri, subscription.id);
  if (errors.length > 0) return { webhookSubscription: null, userErrors: errors };
  subscription.uri = uri;
  if (input.filter !== undefined) subscription.filter = input.filter;
  if (input.name !== undefined) subscription.name = input.name;
  if (input.includeFields) subscription.includeFields = input.includeFields;
  if (input.metafieldNamespaces) subscription.metafieldNamespaces = input.metafieldNamespaces;
  subscription.updatedAt = ctx.store.now();
  return { webhookSubscription: subscriptionView(subscription), userErrors: [] };
}

function remove(ctx: Ctx, gid: string) {
  const subscription = find(ctx, gid);
  if (!subscription)
    return {
      deletedWebhookSubscriptionId: null,
      userErrors: [userError("Webhook subscription does not exist", ["id"])],
    };
  ctx.shop.subscriptions.delete(subscription.id);
  return { deletedWebhookSubscriptionId: gid, userErrors: [] };
}

function problems(ctx: Ctx, topic: string, uri: string, self: bigint | null): UserError[] {
  const field = ["webhookSubscription", "callbackUrl"];
  if (uri === "") return [userError("Address can't be blank", field)];
  if (!isDeliverable(uri)) {
    return [userError("Address protocol http:// is not supported", field)];
  }
  const mine = [...ctx.shop.subscriptions.values()].filter((s) => s.clientId === ctx.install.clientId && s.id !== self);
  if (mine.some((s) => s.topic === topic && s.uri === uri)) {
    return [userError("Address for this topic has already been taken", field)];
  }
  return mine.length >= MAX_SUBSCRIPTIONS ? [userError("Too many webhook subscriptions", field)] : [];
}

function find(ctx: Ctx, gid: string): Subscription | null {
  const id = idOf("WebhookSubscription", gid);
  const found = id === null ? undefined : ctx.shop.subscriptions.get(id);
  return found?.clientId === ctx.install.clientId ? found : null;
}
