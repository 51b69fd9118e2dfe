import type { Erasure, PutTenant, Tenant } from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { ListParams, PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

export interface UpsertTenantParams extends PutTenant {
  /** Your own id of your customer: 1–128 letters, digits and `._:@-`. */
  readonly id: string;
}

/** Your customers, under the ids that you give them. */
export class Tenants {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes the tenant, or changes what is named here. Safe to call at every sign-in. */
  upsert({ id, ...body }: UpsertTenantParams, options?: RequestOptions): ApiPromise<Tenant> {
    return this.#transport.request({ method: "PUT", path: ["tenants", id], body, options });
  }

  /** @throws NotFoundError `tenant_not_found` */
  retrieve(id: string, options?: RequestOptions): ApiPromise<Tenant> {
    return this.#transport.request({ method: "GET", path: ["tenants", id], options });
  }

  /**
   * Erases the tenant: from the answer on it is unknown, disconnected, and nothing sealed for it can be read. Its rows
   * go in the background; `patchbay.erasures.retrieve(id)` tells how far that is, and is the receipt in the end. The
   * id may be used for a new tenant at once.
   *
   * @throws NotFoundError `tenant_not_found`, also when it was erased before
   */
  delete(id: string, options?: RequestOptions): ApiPromise<Erasure> {
    return this.#transport.request({ method: "DELETE", path: ["tenants", id], options });
  }

  list(params: ListParams = {}, options?: RequestOptions): PagePromise<Tenant> {
    return this.#transport.list({ method: "GET", path: ["tenants"], query: { ...params }, options });
  }
}
