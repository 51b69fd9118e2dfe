import type { AuditActorKind, AuditCheckpoint, AuditEntry, AuditKind } from "@patchbay/shared";
import type { ListParams, PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

/** All that are given must fit. */
export interface ListAuditParams extends ListParams {
  /** `connection.pause`, `api_key.rotate` … */
  readonly action?: string | undefined;
  readonly kind?: AuditKind | undefined;
  readonly actorKind?: AuditActorKind | undefined;
  /** `key_…` or `usr_…` */
  readonly actorId?: string | undefined;
  /** Your own id of a person; needs `tenantId`. */
  readonly endUserId?: string | undefined;
  /** `conn_…`, `key_…` … */
  readonly targetId?: string | undefined;
  readonly tenantId?: string | undefined;
  /** `ten_…`: also of a tenant that was erased. */
  readonly tenantRef?: string | undefined;
  /** `req_…` */
  readonly requestId?: string | undefined;
  /** RFC 3339, UTC; inclusive. */
  readonly since?: string | undefined;
  /** Exclusive. */
  readonly until?: string | undefined;
}

export interface ExportAuditParams {
  /** Of the last entry that you have; default: from the first one. */
  readonly afterSequence?: number | undefined;
}

/** A stream without a line for this long has died. */
const SILENCE_MS_MAX = 60_000;

/** What was done in the workspace, by whom. Needs a key with the scope `audit:read`. */
export class Audit {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first. */
  list(params: ListAuditParams = {}, options?: RequestOptions): PagePromise<AuditEntry> {
    return this.#transport.list({ method: "GET", path: ["audit"], query: { ...params }, options });
  }

  /** Every entry, oldest first. Throws when the connection breaks off. */
  async *export(params: ExportAuditParams = {}, options?: RequestOptions): AsyncGenerator<AuditEntry, void> {
    const headers = { accept: "application/x-ndjson" };
    const call = { method: "GET", path: ["audit", "export"], query: { ...params }, headers, options } as const;
    for await (const line of await this.#transport.lines(call, SILENCE_MS_MAX)) {
      if (line !== "") yield JSON.parse(line) as AuditEntry;
    }
  }

  /** Signed statements of how the log stood, newest first. Keep them where the operator cannot reach them. */
  listCheckpoints(params: ListParams = {}, options?: RequestOptions): PagePromise<AuditCheckpoint> {
    return this.#transport.list({ method: "GET", path: ["audit", "checkpoints"], query: { ...params }, options });
  }
}
