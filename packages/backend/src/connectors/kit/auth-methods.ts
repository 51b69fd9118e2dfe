import type { ModelName } from "@patchbay/shared";
import type { AuthMethod, CredentialField, DirectAuth, OAuth2Auth, Placement } from "./auth.ts";
import type { Connector } from "./connector.ts";

/** The method that a row names. @throws Error when the connector has none of that id: rows outlive no method */
export function authMethod(connector: Pick<Connector, "id" | "auth">, id: string): AuthMethod {
  const method = connector.auth.find((each) => each.id === id);
  if (method === undefined) throw new Error(`connector ${connector.id} has no auth method ${id}`);
  return method;
}

/** The method that goes through a browser; `null`: the provider offers none. */
export function oauth2Of(connector: Pick<Connector, "auth">): OAuth2Auth | null {
  return connector.auth.find((method) => method.kind === "oauth2") ?? null;
}

/** Scopes that reading all of these models needs, sorted. */
export function scopesFor(connector: Pick<Connector, "scopes">, models: readonly ModelName[]): readonly string[] {
  return [...new Set(models.flatMap((model) => connector.scopes.byModel[model] ?? []))].sort();
}

/** Scopes that these models need and that were not granted. */
export function missingScopes(
  connector: Pick<Connector, "scopes">,
  granted: readonly string[],
  models: readonly ModelName[],
): readonly string[] {
  return scopesFor(connector, models).filter((scope) => !connector.scopes.covers(granted, scope));
}

/**
 * Whether what was granted lets a model be read. Where a provider does not tell what it granted, the try does.
 */
export function canRead(connector: Pick<Connector, "scopes">, granted: readonly string[], model: ModelName): boolean {
  return granted.length === 0 || missingScopes(connector, granted, [model]).length === 0;
}

/** What a person hands over; empty for `oauth2`. */
export function fieldsOf(method: AuthMethod): readonly CredentialField[] {
  return method.kind === "oauth2" ? [] : method.fields;
}

/** Where requests carry the fields of a method that needs no token endpoint. */
export function placementsOf(method: DirectAuth): readonly Placement[] {
  switch (method.kind) {
    case "basic":
      return [{ kind: "basic", username: "username", password: "password" }];
    case "api_key":
    case "rotating_key":
    case "mtls":
      return method.place;
    case "client_credentials":
    case "jwt_bearer":
      return [];
  }
}
