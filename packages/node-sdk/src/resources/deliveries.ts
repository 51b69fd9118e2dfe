import type { Delivery, DeliveryReplay } from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { ListParams, PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

export interface ListDeadLettersParams extends ListParams {
  readonly endpointId?: string | undefined;
}

export interface ListDeliveriesParams extends ListDeadLettersParams {
  readonly status?: Delivery["status"] | undefined;
}

/** Events on their way to endpoints. */
export class Deliveries {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(params: ListDeliveriesParams = {}, options?: RequestOptions): PagePromise<Delivery> {
    return this.#transport.list({ method: "GET", path: ["deliveries"], query: { ...params }, options });
  }

  /** Deliveries given up after the last try. {@link retry} brings one back. */
  listDeadLetters(params: ListDeadLettersParams = {}, options?: RequestOptions): PagePromise<Delivery> {
    return this.#transport.list({ method: "GET", path: ["dead-letters"], query: { ...params }, options });
  }

  /** Newest first; {@link WebhookEndpoints.replay} begins one. */
  listReplays(params: ListDeadLettersParams = {}, options?: RequestOptions): PagePromise<DeliveryReplay> {
    return this.#transport.list({ method: "GET", path: ["delivery-replays"], query: { ...params }, options });
  }

  /** How far a replay got. @throws NotFoundError `delivery_replay_not_found` */
  retrieveReplay(id: string, options?: RequestOptions): ApiPromise<DeliveryReplay> {
    return this.#transport.request({ method: "GET", path: ["delivery-replays", id], options });
  }

  /** Ends a replay; about a second of its rate is on its way and still goes out. */
  cancelReplay(id: string, options?: RequestOptions): ApiPromise<DeliveryReplay> {
    return this.#transport.request({ method: "POST", path: ["delivery-replays", id, "cancel"], options });
  }

  /** Tries now, whatever the schedule says. */
  retry(id: string, options?: RequestOptions): ApiPromise<Delivery> {
    return this.#transport.request({ method: "POST", path: ["deliveries", id, "retry"], options });
  }

  /**
   * Gives up a dead letter. At an endpoint with `order: "perRecord"` the later events of its record go on; a retry or a
   * replay sends it after all.
   *
   * @throws ConflictError when it is not `failed`
   */
  skip(id: string, options?: RequestOptions): ApiPromise<Delivery> {
    return this.#transport.request({ method: "POST", path: ["deliveries", id, "skip"], options });
  }
}
