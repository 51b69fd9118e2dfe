import type { Erasure } from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { ListParams, PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

/** What became of tenants that you deleted. */
export class Erasures {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first. */
  list(params: ListParams = {}, options?: RequestOptions): PagePromise<Erasure> {
    return this.#transport.list({ method: "GET", path: ["erasures"], query: { ...params }, options });
  }

  /** Its progress, and once it is `completed` its receipt. @throws NotFoundError `erasure_not_found` */
  retrieve(id: string, options?: RequestOptions): ApiPromise<Erasure> {
    return this.#transport.request({ method: "GET", path: ["erasures", id], options });
  }
}
