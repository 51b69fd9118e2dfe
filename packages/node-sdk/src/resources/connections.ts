import type {
  Connection,
  ConnectionCapabilities,
  ConnectionStatus,
  ConnectionTest,
  ExportConnection,
  ExportedConnection,
  ImportConnection,
} from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { ListParams, PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

export interface ListConnectionsParams extends ListParams {
  readonly tenantId?: string | undefined;
  readonly provider?: string | undefined;
  readonly status?: ConnectionStatus | undefined;
}

/** A tenant's links to accounts at providers. */
export class Connections {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(params: ListConnectionsParams = {}, options?: RequestOptions): PagePromise<Connection> {
    return this.#transport.list({ method: "GET", path: ["connections"], query: { ...params }, options });
  }

  /** @throws NotFoundError `connection_not_found` */
  retrieve(id: string, options?: RequestOptions): ApiPromise<Connection> {
    return this.#transport.request({ method: "GET", path: ["connections", id], options });
  }

  /** Disconnects: access is revoked at the provider and syncing stops. Records stay. */
  delete(id: string, options?: RequestOptions): ApiPromise<Connection> {
    return this.#transport.request({ method: "DELETE", path: ["connections", id], options });
  }

  /** Stops syncing until {@link resume}; access is kept. */
  pause(id: string, options?: RequestOptions): ApiPromise<Connection> {
    return this.#transport.request({ method: "POST", path: ["connections", id, "pause"], options });
  }

  resume(id: string, options?: RequestOptions): ApiPromise<Connection> {
    return this.#transport.request({ method: "POST", path: ["connections", id, "resume"], options });
  }

  /**
   * Takes a connection over from another system. Its credentials are proved by a live call before anything is stored.
   *
   * @throws UnprocessableError `invalid_credentials`, `missing_scopes`
   */
  import(params: ImportConnection, options?: RequestOptions): ApiPromise<Connection> {
    return this.#transport.request({ method: "POST", path: ["connections", "import"], body: params, options });
  }

  /**
   * The credentials, encrypted to `publicKey`: a compact JWE whose content is `ExportedCredentials`. Needs an API key
   * with the scope `credentials:export`.
   */
  export(id: string, params: ExportConnection, options?: RequestOptions): ApiPromise<ExportedConnection> {
    return this.#transport.request({ method: "POST", path: ["connections", id, "export"], body: params, options });
  }

  /** What can be read through it, model by model, and why the rest cannot. */
  capabilities(id: string, options?: RequestOptions): ApiPromise<ConnectionCapabilities> {
    return this.#transport.request({ method: "GET", path: ["connections", id, "capabilities"], options });
  }

  /** Makes a live call to the provider and tells whether it worked. */
  test(id: string, options?: RequestOptions): ApiPromise<ConnectionTest> {
    return this.#transport.request({ method: "POST", path: ["connections", id, "test"], options });
  }
}
