import type { PatchbayEvent } from "@patchbay/node";
import { count, label, money } from "./format.ts";

/** An event in a few words. */
export interface EventWords {
  /** What it is about, such as `#1001`. */
  readonly subject: string;
  /** More about it; may be empty. */
  readonly detail: string;
  /** Empty where no money moved. */
  readonly amount: string;
  readonly tone: "good" | "plain" | "warn" | "bad";
}

export function describeEvent(event: PatchbayEvent): EventWords {
  switch (event.type) {
    case "order.created":
    case "order.updated":
    case "order.deleted": {
      const { object: order, changedFields, ref } = event.data;
      return {
        subject: order?.name ?? ref.remoteId,
        detail: changed(changedFields) || (order ? count(order.lines.length, "line") : ""),
        amount: order ? money(order.totalAmount, order.currency, order.currencyExponent) : "",
        tone: event.type === "order.created" ? "good" : event.type === "order.deleted" ? "bad" : "plain",
      };
    }
    case "refund.created":
    case "refund.updated":
    case "refund.deleted": {
      const { object: refund, changedFields, ref } = event.data;
      return {
        subject: `Refund ${ref.remoteId}`,
        detail: changed(changedFields) || (refund ? label(refund.status) : ""),
        amount: refund ? money(-refund.amount, refund.currency, refund.currencyExponent) : "",
        tone: "warn",
      };
    }
    case "customer.created":
    case "customer.updated":
    case "customer.deleted":
    case "product.created":
    case "product.updated":
    case "product.deleted":
    case "account.created":
    case "account.updated":
    case "account.deleted": {
      const { object, changedFields, ref } = event.data;
      return { subject: object?.name ?? ref.remoteId, detail: changed(changedFields), amount: "", tone: "plain" };
    }
    case "variant.created":
    case "variant.updated":
    case "variant.deleted": {
      const { object: variant, changedFields, ref } = event.data;
      const subject = variant?.displayName ?? variant?.title ?? ref.remoteId;
      return { subject, detail: changed(changedFields), amount: "", tone: "plain" };
    }
    case "connection.activated":
    case "connection.recovered":
      return { subject: event.data.connection.accountName, detail: "", amount: "", tone: "good" };
    case "connection.degraded":
    case "connection.reauthorizationRequired":
    case "connection.revoked":
    case "connection.disconnected": {
      const { accountName, statusReason } = event.data.connection;
      return { subject: accountName, detail: statusReason ? label(statusReason) : "", amount: "", tone: "bad" };
    }
    case "run.started":
    case "run.progress":
    case "run.completed":
    case "run.partial":
    case "run.failed": {
      const { kind, models, problem } = event.data.run;
      const done = models.reduce((sum, model) => sum + model.done, 0);
      const tone = event.type === "run.completed" ? "good" : event.type === "run.failed" ? "bad" : "plain";
      return { subject: `${label(kind)} sync`, detail: problem ?? count(done, "record"), amount: "", tone };
    }
    case "authorization.completed":
    case "authorization.failed":
    case "authorization.expired":
    case "endpoint.failing":
    case "endpoint.recovered":
    case "endpoint.disabled":
    case "endpoint.test":
    case "privacy.redactRequested":
    // A newer Patchbay may send types that this version does not know.
    default:
      return { subject: label(event.type.replace(/\..*/, "")), detail: "", amount: "", tone: "plain" };
  }
}

const NAMED_MAX = 2;

/** `Financial status, refunded amount +3` */
function changed(fields: readonly string[]): string {
  const telling = fields.filter((field) => !/^remote|Remote$/.test(field));
  const words = telling.map((field) => field.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
  const named = words.slice(0, NAMED_MAX).join(", ");
  return words.length > NAMED_MAX ? `${label(named)} +${words.length - NAMED_MAX}` : label(named);
}
