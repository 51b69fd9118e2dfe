import { decodeId, encodeId, type ConnectionId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import type { Context } from "hono";
import { audited, type AuditAct, type Audit } from "../../domain/audit/index.ts";
import { networkOf } from "../../platform/runtime/index.ts";
import type { Around, Audience, RouteSpec } from "./define-route.ts";
import type { HttpEnv } from "./env.ts";
import { actionOf, targetOf } from "./route-action.ts";

export interface RequestAuditDeps {
  readonly audit: Audit;
  /** `null` for what is not there. */
  readonly tenantOf: (workspaceId: WorkspaceId, of: TenantHint) => Promise<TenantUid | null>;
  /** Whether an operator means a workspace that is there. */
  readonly workspaceExists: (workspaceId: WorkspaceId) => Promise<boolean>;
}

/** By which a request names a tenant. */
export type TenantHint =
  | { readonly tenantId: string; readonly connectionId?: never }
  | { readonly connectionId: ConnectionId; readonly tenantId?: never };

/** Whether the acts of a route are entered around its handler: all that change something, and what asks for it. */
export function isAudited(audience: Audience, spec: RouteSpec): boolean {
  if (audience === "public" || spec.audited === "byHandler") return false;
  return spec.audited ?? spec.method !== "get";
}

/**
 * Enters what a request is about to do, and how it went. Authentication and validation are over by then: only what
 * would happen is entered, and nothing happens that could not be.
 */
export function auditRequest(deps: RequestAuditDeps, audience: Audience, spec: RouteSpec): Around {
  const action = spec.action ?? actionOf(spec);
  const made = action.split(".")[0] ?? "";
  const place = targetOf(spec);
  const type = place?.type ?? made;
  const workspaceParam = /\/workspaces\/\{(\w+)\}/.exec(spec.path)?.[1] ?? null;
  if (audience === "admin" && workspaceParam === null) {
    throw new Error(`${spec.path} names no workspace to whose log it belongs: enter it by hand (audited: "byHandler")`);
  }
  return async (c, input, run) => {
    const id = place === null ? null : (c.req.param(place.param) ?? null);
    const caller = await callerOf(deps, audience, c, workspaceParam);
    // An operator who means no workspace that is there: the handler says so, and there is no log to enter it in.
    if (caller === null) return run();
    const { workspaceId, actor, clientAddress } = caller;
    const inTenant = c.req.param("tenant");
    const hint = inTenant === undefined ? hintOf(type, id, input.body) : { tenantId: inTenant };
    const findTenant = async () => caller.tenantUid ?? (hint === null ? null : deps.tenantOf(workspaceId, hint));
    const tenantUid = await findTenant();
    const act = { actor, action, tenantUid, clientAddress, requestId: c.get("requestId") };
    const target = { type, id: targetId(type, id, tenantUid) };
    return audited(
      { audit: deps.audit, log: c.get("log") },
      workspaceId,
      { ...act, target },
      run,
      async (response) => ({
        details: { ok: response.ok, status: response.status },
        ...(await outcomeOf(response, { type, made, target, tenantUid, findTenant })),
      }),
    );
  };
}

interface Caller {
  readonly workspaceId: WorkspaceId;
  readonly actor: AuditAct["actor"];
  readonly clientAddress: string | null;
  /** Known for sessions. */
  readonly tenantUid: TenantUid | null;
}

/** Machines and operators are kept with their whole address, people with their network only. */
async function callerOf(
  deps: RequestAuditDeps,
  audience: Audience,
  c: Context<HttpEnv>,
  workspaceParam: string | null,
): Promise<Caller | null> {
  const clientAddress = c.get("clientAddress");
  switch (audience) {
    case "api": {
      const { workspaceId, keyId } = c.get("caller");
      return { workspaceId, actor: { kind: "api_key", id: encodeId("key", keyId) }, clientAddress, tenantUid: null };
    }
    case "connect": {
      const { workspaceId, tenantUid, endUser } = c.get("session");
      const person = await deps.audit.person({ workspaceId, tenantUid, endUserId: endUser.id });
      const network = clientAddress === null ? null : networkOf(clientAddress);
      return { workspaceId, actor: { kind: "end_user", id: person }, clientAddress: network, tenantUid };
    }
    case "admin": {
      const workspaceId = decodeId("ws", c.req.param(workspaceParam ?? "") ?? "");
      if (workspaceId === null || !(await deps.workspaceExists(workspaceId))) return null;
      return { workspaceId, actor: { kind: "operator", id: null }, clientAddress, tenantUid: null };
    }
    case "public":
      return null;
  }
}

/** What the path or the body says of the tenant. */
function hintOf(type: string, id: string | null, body: unknown): TenantHint | null {
  if (type === "tenant" && id !== null) return { tenantId: id };
  const given =
    typeof body === "object" && body !== null ? (body as { tenantId?: unknown; connectionId?: unknown }) : {};
  const named = type === "connection" ? id : given.connectionId;
  const connectionId = typeof named === "string" ? decodeId("conn", named) : null;
  if (connectionId !== null) return { connectionId };
  return typeof given.tenantId === "string" ? { tenantId: given.tenantId } : null;
}

/** An id of ours as it is; a tenant by its reference; words that anybody may know, such as a provider's. Else nothing. */
function targetId(type: string, id: string | null, tenantUid: TenantUid | null): string | null {
  if (type === "tenant") return tenantUid === null ? null : encodeId("ten", tenantUid);
  if (id === null) return null;
  return EDGE_ID.test(id) || (type === "provider" && /^[a-z][a-z0-9-]{0,39}$/.test(id)) ? id : null;
}

const EDGE_ID = /^[a-z]{2,5}_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** What was made, and a tenant that was not there before. */
async function outcomeOf(
  response: Response,
  before: {
    readonly type: string;
    readonly made: string;
    readonly target: AuditAct["target"];
    readonly tenantUid: TenantUid | null;
    readonly findTenant: () => Promise<TenantUid | null>;
  },
): Promise<{ readonly target?: AuditAct["target"]; readonly tenantUid?: TenantUid }> {
  if (!response.ok) return {};
  if (before.type === "tenant" && before.tenantUid === null) {
    const tenantUid = await before.findTenant();
    return tenantUid === null ? {} : { tenantUid, target: { type: "tenant", id: encodeId("ten", tenantUid) } };
  }
  if (response.status !== 201) return {};
  const { id } = (await response.clone().json()) as { readonly id?: unknown };
  return typeof id === "string" && EDGE_ID.test(id) ? { target: { type: before.made, id } } : {};
}
