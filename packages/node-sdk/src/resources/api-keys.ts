import type { ApiKey, ApiKeyWithSecret, CreateApiKey, RotateApiKey } from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { ListParams, PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

export interface DeleteApiKeyParams {
  /** Needed to revoke the very key that this client uses. */
  readonly self?: boolean | undefined;
}

/** Keys of your workspace. Needs a key with `api_keys:read`, or `api_keys:write` for changes. */
export class ApiKeys {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first, the revoked ones too. */
  list(params: ListParams = {}, options?: RequestOptions): PagePromise<ApiKey> {
    return this.#transport.list({ method: "GET", path: ["api-keys"], query: { ...params }, options });
  }

  /** The secret is in the answer and nowhere else. The new key cannot do more than the one that makes it. */
  create(params: CreateApiKey, options?: RequestOptions): ApiPromise<ApiKeyWithSecret> {
    return this.#transport.request({ method: "POST", path: ["api-keys"], body: params, options });
  }

  /** A new secret; the former one stays good for 24 hours, or as long as `overlapHours` says. */
  rotate(id: string, params: RotateApiKey = {}, options?: RequestOptions): ApiPromise<ApiKeyWithSecret> {
    return this.#transport.request({ method: "POST", path: ["api-keys", id, "rotate"], body: params, options });
  }

  /** Ends the overlap of a rotation now. */
  revokePrevious(id: string, options?: RequestOptions): ApiPromise<ApiKey> {
    return this.#transport.request({ method: "POST", path: ["api-keys", id, "revoke-previous"], options });
  }

  /** Revokes the key at once and for good. */
  delete(id: string, params: DeleteApiKeyParams = {}, options?: RequestOptions): ApiPromise<ApiKey> {
    return this.#transport.request({ method: "DELETE", path: ["api-keys", id], query: { ...params }, options });
  }
}
