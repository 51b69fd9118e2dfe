import { AppError, MODEL_NAMES, encodeId, type ConnectionCapabilities, type ModelCapability } from "@patchbay/shared";
import { canRead, missingScopes, scopesFor, type Connector } from "../../connectors/kit/index.ts";
import type { ConnectionRow } from "../../domain/connections/index.ts";
import { findConnection } from "./connection-verbs.ts";
import type { ConnectDeps } from "./deps.ts";
import type { Who } from "./tenant-scope.ts";

/** What can be read through a connection, and why the rest cannot. @throws AppError `connection_not_found` */
export async function capabilitiesOf(deps: ConnectDeps, who: Who, id: string): Promise<ConnectionCapabilities> {
  const row = await findConnection(deps, who, id);
  const connector = deps.connectors[row.provider];
  if (connector === undefined) throw new AppError("provider_not_found", "this provider is not served any more");
  return {
    connectionId: encodeId("conn", row.id),
    status: row.status,
    health: row.health,
    models: modelCapabilities(connector, row),
  };
}

/** Every model, in the order of the documentation. */
export function modelCapabilities(
  connector: Pick<Connector, "resources" | "scopes">,
  row: Pick<ConnectionRow, "models" | "grantedScopes">,
): readonly ModelCapability[] {
  const provided = new Set(Object.values(connector.resources).map((resource) => resource.model));
  return MODEL_NAMES.map((model) => {
    const scopes = scopesFor(connector, [model]);
    const readable = canRead(connector, row.grantedScopes, model);
    const missing = readable ? [] : missingScopes(connector, row.grantedScopes, [model]);
    const facts = { model, scopes, missingScopes: missing };
    if (!provided.has(model)) return { ...facts, read: false, reason: "provider_limitation" };
    if (!row.models.includes(model)) return { ...facts, read: false, reason: "not_asked" };
    return readable ? { ...facts, read: true, reason: null } : { ...facts, read: false, reason: "missing_scope" };
  });
}
