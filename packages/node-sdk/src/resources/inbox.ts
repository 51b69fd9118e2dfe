import type { InboxEntry } from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { ListParams, PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

export interface ListInboxParams extends ListParams {
  readonly status?: InboxEntry["status"] | undefined;
}

/** Webhooks that providers sent. */
export class Inbox {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(params: ListInboxParams = {}, options?: RequestOptions): PagePromise<InboxEntry> {
    return this.#transport.list({ method: "GET", path: ["inbox"], query: { ...params }, options });
  }

  /** @throws NotFoundError `inbox_item_not_found` */
  retrieve(id: string, options?: RequestOptions): ApiPromise<InboxEntry> {
    return this.#transport.request({ method: "GET", path: ["inbox", id], options });
  }
}
