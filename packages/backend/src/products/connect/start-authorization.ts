import {
  AppError,
  encodeId,
  type AuthorizationId,
  type ModelName,
  type StartAuthorization,
  type StartedAuthorization,
} from "@patchbay/shared";
import type { Connector } from "../../connectors/kit/index.ts";
import { loadConnection, type ConnectionRow } from "../../domain/connections/index.ts";
import { holdTenant } from "../../domain/workspaces/index.ts";
import { newId } from "../../platform/runtime/index.ts";
import type { ConnectDeps } from "./deps.ts";
import type { Limits } from "./limits.ts";
import { hashOf, makeOpaque } from "./opaque.ts";
import { providerFor } from "./provider-for.ts";
import { canonicalParameters } from "./resolve-parameters.ts";
import { connectionIdOf, mayManage, offeredModels, requirePermission, type SessionContext } from "./session-context.ts";
import { authorizations } from "./tables.ts";

/** From the start to the end of an authorization, the person's time at the provider included. */
export const AUTHORIZATION_MS_MAX = 10 * 60_000;
const TICKET_MS_MAX = 60_000;

/**
 * Begins one try to connect or repair. The answer's URL holds a single-use ticket of 60 seconds, never the session's
 * token.
 *
 * @throws AppError `session_forbidden`, `rate_limited`, `provider_not_found`, `provider_app_missing`, `invalid_shop`,
 *   `connection_not_found`, `invalid_request`
 */
export async function startAuthorization(
  deps: ConnectDeps,
  limits: Limits,
  session: SessionContext,
  input: StartAuthorization,
): Promise<StartedAuthorization> {
  requirePermission(session, input.connectionId === undefined ? "connect" : "reauthorize");
  limits.countCall(session);
  limits.countAuthorization(session);
  const { connector } = await providerFor(deps, session, input.provider);
  if (input.display === "redirect" && session.returnUrl === null) {
    throw new AppError("invalid_request", "display redirect needs a session with a returnUrl");
  }
  const repaired = input.connectionId === undefined ? null : await connectionToRepair(deps, session, input);
  const allowAccountChange = repaired !== null && session.allowAccountChange;
  // A repair goes to the account that it had, unless it may go to another and says which.
  const asksOther = allowAccountChange && Object.keys(input.parameters).length > 0;
  const params = repaired === null || asksOther ? canonicalParameters(connector, input.parameters) : repaired.params;
  const models = repaired?.models ?? modelsToRead(session, connector, input.models);
  const now = deps.clock.now();
  const id = newId<AuthorizationId>();
  const ticket = makeOpaque({ workspaceId: session.workspaceId, authorizationId: id });
  const expiresAt = new Date(now.getTime() + AUTHORIZATION_MS_MAX);
  await deps.withTenant(session.workspaceId, session.tenantUid, async (tx) => {
    await holdTenant(tx, { workspaceId: session.workspaceId, uid: session.tenantUid });
    await tx.insert(authorizations).values({
      workspaceId: session.workspaceId,
      id,
      sessionId: session.sessionId,
      tenantUid: session.tenantUid,
      endUserId: session.endUser.id,
      endUserEmail: session.endUser.email,
      endUserLabel: session.endUser.label,
      provider: connector.id,
      params: { ...params },
      models: [...models],
      connectionId: repaired?.id ?? null,
      allowAccountChange,
      display: input.display,
      openerOrigin: session.origin,
      returnUrl: session.returnUrl,
      verifierChallenge: input.verifierChallenge,
      ticketHash: hashOf(ticket),
      ticketExpiresAt: new Date(now.getTime() + TICKET_MS_MAX),
      status: "created",
      createdAt: now,
      expiresAt,
    });
  });
  return {
    id: encodeId("auth", id),
    startUrl: `${deps.publicUrl}/oauth/start/${ticket}`,
    expiresAt: expiresAt.toISOString(),
  };
}

async function connectionToRepair(
  deps: ConnectDeps,
  session: SessionContext,
  input: StartAuthorization,
): Promise<ConnectionRow> {
  const id = connectionIdOf(input.connectionId ?? "");
  const row = await deps.withTenant(session.workspaceId, session.tenantUid, (tx) =>
    loadConnection(tx, session.workspaceId, id),
  );
  if (!mayManage(session, row) || row.provider !== input.provider || row.endedAt !== null) {
    // Word for word what an unknown id is told, lest the answer say that others have it.
    throw new AppError("connection_not_found", "no such connection");
  }
  return row;
}

function modelsToRead(
  session: SessionContext,
  connector: Connector,
  asked: readonly ModelName[] | undefined,
): readonly ModelName[] {
  const offered = offeredModels(session, connector);
  const beyond = asked?.find((model) => !offered.includes(model));
  if (beyond !== undefined)
    throw new AppError("session_forbidden", `this session does not offer the model "${beyond}"`);
  if (offered.length === 0) throw new AppError("session_forbidden", "this session offers no model of this provider");
  return asked ?? offered;
}
