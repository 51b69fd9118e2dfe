import type { Place } from "../../domain/vault/index.ts";

/** What an endpoint's sealed secret is bound to. */
export function secretPlace(secretId: string): Place {
  return { table: "endpoint_secrets", rowId: secretId, column: "secret", rowVersion: 1 };
}
