import type { Provider, ProviderApp, PutProviderApp, RotateSigningKey, SigningKeyInfo } from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { PagePromise } from "../pagination.ts";
import type { RequestOptions, Transport } from "../transport.ts";

/** What can be connected, and your own apps there. */
export class Providers {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All of them, on one page. */
  list(options?: RequestOptions): PagePromise<Provider> {
    return this.#transport.list({ method: "GET", path: ["providers"], options });
  }

  /** Registers your app at a provider, or replaces it. The secret is sealed and never shown again. */
  setApp(provider: string, params: PutProviderApp, options?: RequestOptions): ApiPromise<ProviderApp> {
    return this.#transport.request({ method: "PUT", path: ["providers", provider, "app"], body: params, options });
  }

  /** Your app at a provider, with the addresses to enter there. */
  retrieveApp(provider: string, options?: RequestOptions): ApiPromise<ProviderApp> {
    return this.#transport.request({ method: "GET", path: ["providers", provider, "app"], options });
  }

  /** Makes your app's next signing key, for providers that want `private_key_jwt`. Register the `jwksUri` there once. */
  rotateSigningKey(provider: string, params: RotateSigningKey, options?: RequestOptions): ApiPromise<SigningKeyInfo> {
    const path = ["providers", provider, "app", "signing-keys"];
    return this.#transport.request({ method: "POST", path, body: params, options });
  }
}
