import type {
  Attempt,
  CreateWebhookEndpoint,
  Delivery,
  DeliveryReplay,
  DeliveryReplayPreview,
  ReplayDeliveries,
  RotateSecret,
  TestWebhookEndpoint,
  UpdateWebhookEndpoint,
  WebhookEndpoint,
  WebhookEndpointWithSecret,
} from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { ListParams, PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

/** URLs of yours that events are delivered to. */
export class WebhookEndpoints {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The answer holds the signing `secret`; it is not shown again. */
  create(params: CreateWebhookEndpoint, options?: RequestOptions): ApiPromise<WebhookEndpointWithSecret> {
    return this.#transport.request({ method: "POST", path: ["webhook-endpoints"], body: params, options });
  }

  list(params: ListParams = {}, options?: RequestOptions): PagePromise<WebhookEndpoint> {
    return this.#transport.list({ method: "GET", path: ["webhook-endpoints"], query: { ...params }, options });
  }

  /** @throws NotFoundError `endpoint_not_found` */
  retrieve(id: string, options?: RequestOptions): ApiPromise<WebhookEndpoint> {
    return this.#transport.request({ method: "GET", path: ["webhook-endpoints", id], options });
  }

  /** Changes what is named. `status: "enabled"` brings a disabled endpoint back, with the deliveries it held. */
  update(id: string, params: UpdateWebhookEndpoint, options?: RequestOptions): ApiPromise<WebhookEndpoint> {
    return this.#transport.request({ method: "PATCH", path: ["webhook-endpoints", id], body: params, options });
  }

  delete(id: string, options?: RequestOptions): ApiPromise<void> {
    return this.#transport.request({ method: "DELETE", path: ["webhook-endpoints", id], options });
  }

  /** A new secret. Until `graceHours` are over, both sign: put the new one in place without losing a delivery. */
  rotateSecret(id: string, params: RotateSecret = {}, options?: RequestOptions): ApiPromise<WebhookEndpointWithSecret> {
    const path = ["webhook-endpoints", id, "rotate-secret"];
    return this.#transport.request({ method: "POST", path, body: params, options });
  }

  /**
   * Sends an `endpoint.test` event to this endpoint.
   *
   * @example
   *   // After rotateSecret: does the new secret verify, before the old one stops signing?
   *   await patchbay.webhookEndpoints.test("we_…", { signWith: "newest" });
   */
  test(id: string, params: TestWebhookEndpoint = {}, options?: RequestOptions): ApiPromise<Delivery> {
    return this.#transport.request({ method: "POST", path: ["webhook-endpoints", id, "test"], body: params, options });
  }

  /** Counts what {@link replay} would send. */
  previewReplay(id: string, params: ReplayDeliveries, options?: RequestOptions): ApiPromise<DeliveryReplayPreview> {
    const path = ["webhook-endpoints", id, "replay"];
    return this.#transport.request({ method: "POST", path, body: { ...params, dryRun: true }, options });
  }

  /**
   * Sends events again, oldest first, under the same `webhook-id` and with the header `patchbay-replay`: what was
   * delivered, what failed (`only: "failed"`), what this endpoint never got (`only: "missing"`). New events go first.
   *
   * @example await patchbay.webhookEndpoints.replay("we_…", { since: "2026-11-20T08:00:00Z", ratePerSecond: 100 })
   */
  replay(id: string, params: ReplayDeliveries, options?: RequestOptions): ApiPromise<DeliveryReplay> {
    return this.#transport.request({
      method: "POST",
      path: ["webhook-endpoints", id, "replay"],
      body: params,
      options,
    });
  }

  /** Every HTTP try, newest first. */
  attempts(id: string, params: ListParams = {}, options?: RequestOptions): PagePromise<Attempt> {
    const path = ["webhook-endpoints", id, "attempts"];
    return this.#transport.list({ method: "GET", path, query: { ...params }, options });
  }
}
