import type { Connection, ConnectSession, CreateConnectSession, ModelName, RecordOf, Tenant } from "@patchbay/shared";
import type { ApiPromise } from "./api-promise.ts";
import type { Patchbay } from "./client.ts";
import type { PatchbayEvent } from "./events.ts";
import type { PagePromise } from "./pagination.ts";
import type { ListConnectionsParams } from "./resources/connections.ts";
import type { ListEventsParams } from "./resources/events.ts";
import type { ExportRecordsParams, ListRecordsParams, RetrieveRecordParams } from "./resources/records.ts";
import type { RequestOptions } from "./transport.ts";

/** The client seen from one tenant: the same calls, with the tenant filled in. Costs nothing to make. */
export interface TenantScope {
  readonly id: string;
  retrieve(options?: RequestOptions): ApiPromise<Tenant>;
  readonly records: {
    /** Records of one model in the order of `changeSeq`: oldest change first. */
    list<M extends ModelName>(model: M, params?: ListRecordsParams, options?: RequestOptions): PagePromise<RecordOf[M]>;
    /** Everything of one model over one connection, a record at a time. */
    export<M extends ModelName>(
      model: M,
      params?: ExportRecordsParams,
      options?: RequestOptions,
    ): AsyncGenerator<RecordOf[M], void>;
    /**
     * One record, by its id or as `provider:remoteId`, such as `shopify:820982911946154508`.
     *
     * @throws NotFoundError `record_not_found`
     */
    retrieve<M extends ModelName>(
      model: M,
      id: string,
      params?: RetrieveRecordParams,
      options?: RequestOptions,
    ): ApiPromise<RecordOf[M]>;
  };
  readonly connections: {
    list(params?: Omit<ListConnectionsParams, "tenantId">, options?: RequestOptions): PagePromise<Connection>;
  };
  readonly connectSessions: {
    create(params: Omit<CreateConnectSession, "tenantId">, options?: RequestOptions): ApiPromise<ConnectSession>;
  };
  readonly events: {
    list(params?: Omit<ListEventsParams, "tenantId">, options?: RequestOptions): PagePromise<PatchbayEvent>;
  };
}

export function tenantScope(patchbay: Patchbay, tenantId: string): TenantScope {
  return {
    id: tenantId,
    retrieve: (options) => patchbay.tenants.retrieve(tenantId, options),
    records: {
      list: (model, params, options) => patchbay.records.list(tenantId, model, params, options),
      export: (model, params, options) => patchbay.records.export(tenantId, model, params, options),
      retrieve: (model, id, params, options) => patchbay.records.retrieve(tenantId, model, id, params, options),
    },
    connections: {
      list: (params, options) => patchbay.connections.list({ ...params, tenantId }, options),
    },
    connectSessions: {
      create: (params, options) => patchbay.connectSessions.create({ ...params, tenantId }, options),
    },
    events: {
      list: (params, options) => patchbay.events.list({ ...params, tenantId }, options),
    },
  };
}
