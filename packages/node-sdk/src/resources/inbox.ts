import type {
  InboxEntry,
  InboxFilter,
  InboxItem,
  InboxRaw,
  InboxReplay,
  InboxReplayPreview,
  ReplayInbox,
} from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { ListParams, PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

export interface ListInboxParams extends ListParams, InboxFilter {}

/** Webhooks that providers sent. */
export class Inbox {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first. */
  list(params: ListInboxParams = {}, options?: RequestOptions): PagePromise<InboxEntry> {
    return this.#transport.list({ method: "GET", path: ["inbox"], query: { ...params }, options });
  }

  /** One with all its elements, without its body. @throws NotFoundError `inbox_item_not_found` */
  retrieve(id: string, options?: RequestOptions): ApiPromise<InboxItem> {
    return this.#transport.request({ method: "GET", path: ["inbox", id], options });
  }

  /**
   * Headers and bytes as the provider sent them. Needs a key with the scope `inbox:raw`.
   *
   * @throws NotFoundError `inbox_item_not_found`, also when its retention is over
   */
  retrieveRaw(id: string, options?: RequestOptions): ApiPromise<InboxRaw> {
    return this.#transport.request({ method: "GET", path: ["inbox", id, "raw"], options });
  }

  /** How many webhooks a {@link replay} would be of; nothing is changed. */
  previewReplay(params: ReplayInbox, options?: RequestOptions): ApiPromise<InboxReplayPreview> {
    const body = { ...params, dryRun: true };
    return this.#transport.request({ method: "POST", path: ["inbox", "replay"], body, options });
  }

  /**
   * Routes webhooks once more, oldest first, behind what arrives meanwhile. Objects are read again at the provider; what
   * did not change since leads to no event.
   *
   * @throws ConflictError `conflict` while five replays run already
   */
  replay(params: ReplayInbox, options?: RequestOptions): ApiPromise<InboxReplay> {
    return this.#transport.request({ method: "POST", path: ["inbox", "replay"], body: { ...params }, options });
  }

  /** Newest first. */
  listReplays(params: ListParams = {}, options?: RequestOptions): PagePromise<InboxReplay> {
    return this.#transport.list({ method: "GET", path: ["inbox", "replays"], query: { ...params }, options });
  }

  /** How far it got. @throws NotFoundError `inbox_replay_not_found` */
  retrieveReplay(id: string, options?: RequestOptions): ApiPromise<InboxReplay> {
    return this.#transport.request({ method: "GET", path: ["inbox", "replays", id], options });
  }

  /** Ends it; what it routed stays routed. @throws NotFoundError `inbox_replay_not_found` */
  cancelReplay(id: string, options?: RequestOptions): ApiPromise<InboxReplay> {
    return this.#transport.request({ method: "POST", path: ["inbox", "replays", id, "cancel"], options });
  }
}
