import type { Delivery } from "@patchbay/shared";
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

  /** Tries now, whatever the schedule says. */
  retry(id: string, options?: RequestOptions): ApiPromise<Delivery> {
    return this.#transport.request({ method: "POST", path: ["deliveries", id, "retry"], options });
  }
}
