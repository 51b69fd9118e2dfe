import { uninstall } from "../actions/uninstall.ts";
import { badRequest } from "./connections.ts";
import type { Ctx } from "./context.ts";
import { idOf } from "./gid.ts";
import { catalogMutations } from "./mutations/catalog.ts";
import { orderMutations } from "./mutations/orders.ts";
import { userError } from "./mutations/user-errors.ts";
import { webhookMutations } from "./mutations/webhooks.ts";
import { appView, bulkView } from "./views/shop.ts";

/** The fields of `Mutation`. */
export function mutationRoot(ctx: Ctx) {
  return {
    ...webhookMutations(ctx),
    ...orderMutations(ctx),
    ...catalogMutations(ctx),
    appUninstall: () => appUninstall(ctx),
    bulkOperationRunQuery: (args: { readonly query: string }) => runBulk(ctx, args.query),
    bulkOperationCancel: (args: { readonly id: string }) => cancelBulk(ctx, args.id),
  };
}

function appUninstall(ctx: Ctx) {
  const app = ctx.world.state.apps.get(ctx.install.clientId);
  if (!app) throw badRequest("The app is not known.");
  uninstall(ctx.shop, ctx.install.clientId, ctx.uninstalled);
  return { app: appView(app, ctx.install), userErrors: [] };
}

const MAX_RUNNING = 5;

function runBulk(ctx: Ctx, query: string) {
  const running = [...ctx.shop.bulkOperations.values()].filter(
    (bulk) => bulk.clientId === ctx.install.clientId && (bulk.status === "CREATED" || bulk.status === "RUNNING"),
  );
  if (running.length >= MAX_RUNNING) {
    const message = "The maximum number of bulk query operations for this app and shop are already in progress.";
    return { bulkOperation: null, userErrors: [userError(message, null, "OPERATION_IN_PROGRESS")] };
  }
  const outcome = ctx.runBulk(query);
  if (typeof outcome === "string")
    return { bulkOperation: null, userErrors: [userError(outcome, ["query"], "INVALID")] };
  return { bulkOperation: bulkView(ctx, outcome), userErrors: [] };
}

function cancelBulk(ctx: Ctx, gid: string) {
  const bulk = ctx.shop.bulkOperations.get(idOf("BulkOperation", gid) ?? 0n);
  if (!bulk || bulk.clientId !== ctx.install.clientId) {
    return { bulkOperation: null, userErrors: [userError("Bulk operation does not exist", ["id"])] };
  }
  if (bulk.status !== "CREATED" && bulk.status !== "RUNNING") {
    return {
      bulkOperation: null,
      userErrors: [userError(`A bulk operation cannot be canceled when it is ${bulk.status.toLowerCase()}`)],
    };
  }
  bulk.status = "CANCELED";
  bulk.completedAt = ctx.store.now();
  return { bulkOperation: bulkView(ctx, bulk), userErrors: [] };
}
