import type { Run, TriggeredRun, TriggerRun } from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { ListParams, PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

export interface TriggerRunParams extends TriggerRun {
  readonly connectionId: string;
}

export interface ListRunsParams extends ListParams {
  readonly connectionId?: string | undefined;
}

/** Executions of syncs. */
export class Runs {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Starts a sync now. When one is queued or running already, `runId` is that one.
   *
   * @throws ConflictError `connection_paused`, `connection_not_active`, `reauthorization_required`
   */
  trigger({ connectionId, ...body }: TriggerRunParams, options?: RequestOptions): ApiPromise<TriggeredRun> {
    return this.#transport.request({ method: "POST", path: ["connections", connectionId, "runs"], body, options });
  }

  list(params: ListRunsParams = {}, options?: RequestOptions): PagePromise<Run> {
    return this.#transport.list({ method: "GET", path: ["runs"], query: { ...params }, options });
  }

  /** @throws NotFoundError `run_not_found` */
  retrieve(id: string, options?: RequestOptions): ApiPromise<Run> {
    return this.#transport.request({ method: "GET", path: ["runs", id], options });
  }

  /** Stops after the page at hand; what was read stays. */
  cancel(id: string, options?: RequestOptions): ApiPromise<Run> {
    return this.#transport.request({ method: "POST", path: ["runs", id, "cancel"], options });
  }
}
