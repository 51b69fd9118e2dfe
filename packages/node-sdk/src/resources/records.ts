import type { ModelName, RecordChange, RecordOf } from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { ListParams, PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

export interface ListRecordsParams extends ListParams, RetrieveRecordParams {
  readonly provider?: string | undefined;
  readonly connectionId?: string | undefined;
  /** Records that changed after this `changeSeq`: keep the last one you saw, and read only what is new. */
  readonly changedAfterSeq?: string | undefined;
  /** By the provider's clock. */
  readonly updatedAfter?: string | Date | undefined;
  /** Deleted ones too; default false. */
  readonly includeDeleted?: boolean | undefined;
}

export type ExportRecordsParams = Omit<ListRecordsParams, keyof ListParams>;

export interface RetrieveRecordParams {
  /** `raw`: with what the provider sent. */
  readonly expand?: "raw" | undefined;
}

/** Between two pages that the server reads. */
const SILENCE_MS_MAX = 60_000;

/** Normalized records: orders, customers, products … in one shape for every provider. */
export class Records {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Records of one model in the order of `changeSeq`: oldest change first. */
  list<M extends ModelName>(
    tenantId: string,
    model: M,
    params: ListRecordsParams = {},
    options?: RequestOptions,
  ): PagePromise<RecordOf[M]> {
    const path = ["tenants", tenantId, "records", model];
    return this.#transport.list({ method: "GET", path, query: { ...params }, options });
  }

  /**
   * Everything of one model over one connection, a record at a time: for a first load, or to compare. Throws when the
   * connection breaks off, so that a part is not taken for the whole.
   *
   * ```ts
   * for await (const order of patchbay.records.export("acme", "order")) await insert(order);
   * ```
   */
  async *export<M extends ModelName>(
    tenantId: string,
    model: M,
    params: ExportRecordsParams = {},
    options?: RequestOptions,
  ): AsyncGenerator<RecordOf[M], void> {
    const path = ["tenants", tenantId, "records", model, "export"];
    const headers = { accept: "application/x-ndjson" };
    const call = { method: "GET", path, query: { ...params }, headers, options } as const;
    for await (const line of await this.#transport.lines(call, SILENCE_MS_MAX)) {
      if (line !== "") yield JSON.parse(line) as RecordOf[M];
    }
  }

  /**
   * One record, by its id or as `provider:remoteId`, such as `shopify:820982911946154508`.
   *
   * @throws NotFoundError `record_not_found`
   */
  retrieve<M extends ModelName>(
    tenantId: string,
    model: M,
    id: string,
    params: RetrieveRecordParams = {},
    options?: RequestOptions,
  ): ApiPromise<RecordOf[M]> {
    const path = ["tenants", tenantId, "records", model, id];
    return this.#transport.request({ method: "GET", path, query: { ...params }, options });
  }

  /**
   * The record of an event: from the event, or read where it does not carry it (thin or truncated). What is read may
   * be newer than the event.
   *
   * ```ts
   * if (event.type === "order.created") await insert(await patchbay.records.of(event));
   * ```
   *
   * @throws NotFoundError `tenant_not_found` when the tenant was erased meanwhile
   */
  async of<M extends ModelName>(
    event: { readonly tenantId: string | null; readonly data: RecordChange<M> },
    options?: RequestOptions,
  ): Promise<RecordOf[M]> {
    const { object, ref } = event.data;
    return object ?? this.retrieve(event.tenantId ?? "", ref.object, ref.id, {}, options);
  }
}
