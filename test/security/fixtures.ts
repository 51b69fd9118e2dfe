import { generateKeyPairSync } from "node:crypto";
import { ORIGIN } from "./http.ts";
import { cursorOf, inPath, inQuery, ofAudit, type Owner, type Place } from "./places.ts";
import type { Side } from "./world.ts";

/** Places whose names look like an id's, but that hold a word that is the same for everybody. */
export const WORDS: ReadonlySet<string> = new Set([
  "POST /connect/v1/providers/{id}/resolve path.id", // a provider
  "GET /v1/connections query.provider",
  "GET /v1/inbox query.provider",
  "POST /v1/inbox/replay body.provider",
  "GET /v1/providers/{provider}/app path.provider",
  "PUT /v1/providers/{provider}/app path.provider",
  "POST /v1/providers/{provider}/app/signing-keys path.provider",
]);

const connection = ({ tenant }: Owner) => tenant.connectionId;
const endpoint = ({ side }: Owner) => side.endpointId;
const sourceOf = async ({ side }: Owner) => (await side.sdk.inbox.retrieve(side.inboxId)).sourceId;
const LONG_AGO = "2020-01-01T00:00:00.000Z";
const authorization = ({ tenant }: Owner) => tenant.authorizationId;
const endUser = { id: "u" };
const allowedOrigins = [ORIGIN];
const session = (side: Side) => ({ tenantId: side.first.id, endUser, allowedOrigins });
const records = (tenant: string) => `/v1/tenants/${tenant}/records/order`;
const onConnection = (suffix: string, body?: unknown): Place => ({
  at: "path.id",
  theirs: connection,
  call: inPath("/v1/connections/", suffix, body),
});
const onEndpoint = (suffix: string, body?: unknown): Place => ({
  at: "path.id",
  theirs: endpoint,
  call: inPath("/v1/webhook-endpoints/", suffix, body),
});
const onReplay = (caller: Side, body: Readonly<Record<string, unknown>>) => ({
  path: `/v1/webhook-endpoints/${caller.endpointId}/replay`,
  body: { ...body, dryRun: true },
});
const ofWidget = (what: "authorizations" | "connections", suffix = "", body?: unknown): Place => ({
  at: "path.id",
  theirs: what === "connections" ? connection : authorization,
  call: inPath(`/connect/v1/${what}/`, suffix, body),
});
const onKey = (suffix: string, body?: unknown): Place => ({
  at: "path.id",
  theirs: async ({ side }) => (await side.sdk.apiKeys.list({ limit: 1 }).toArray({ limit: 1 }))[0]?.id ?? "",
  call: inPath("/v1/api-keys/", suffix, body),
});
const asOperator = (suffix: string, body?: unknown): Place => ({
  at: "path.id",
  theirs: ({ side }) => side.workspace.id,
  call: inPath("/admin/v1/workspaces/", suffix, body),
});
/** Public; nobody holds its other half. */
const RSA_KEY = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
const challenge = "A".repeat(43);

/** Route → every place of it that can hold an id. A route that is missing here fails the matrix. */
export const FIXTURES: Readonly<Record<string, readonly Place[]>> = {
  "PUT /v1/tenants/{id}": [
    // A host names its own tenants: another host's name for one of its own is as good as any.
    { at: "path.id", theirs: ({ side }) => side.bare, call: inPath("/v1/tenants/", "", {}), makes: true },
  ],
  "GET /v1/tenants/{id}": [{ at: "path.id", theirs: ({ tenant }) => tenant.id, call: inPath("/v1/tenants/") }],
  "GET /v1/tenants": [
    {
      at: "query.cursor",
      theirs: cursorOf("/v1/tenants"),
      unknown: Buffer.from("initecg").toString("base64url"),
      call: inQuery("/v1/tenants", "cursor"),
    },
  ],
  // Not erased by asking: it is another workspace's, so that nobody here has it.
  "DELETE /v1/tenants/{id}": [{ at: "path.id", theirs: ({ tenant }) => tenant.id, call: inPath("/v1/tenants/") }],
  "GET /v1/erasures": [
    { at: "query.cursor", theirs: cursorOf("/v1/erasures"), call: inQuery("/v1/erasures", "cursor") },
  ],
  "GET /v1/erasures/{id}": [{ at: "path.id", theirs: ({ side }) => side.erasureId, call: inPath("/v1/erasures/") }],
  "POST /v1/connect-sessions": [
    {
      at: "body.tenantId",
      theirs: ({ tenant }) => tenant.id,
      call: (id, caller) => ({ path: "/v1/connect-sessions", body: { ...session(caller), tenantId: id } }),
    },
    {
      at: "body.connectionIds",
      theirs: connection,
      call: (id, caller) => ({ path: "/v1/connect-sessions", body: { ...session(caller), connectionIds: [id] } }),
    },
    {
      at: "body.returnUrl",
      theirs: ({ side }) => side.returnUrl,
      call: (id, caller) => ({ path: "/v1/connect-sessions", body: { ...session(caller), returnUrl: id } }),
    },
  ],
  "POST /v1/connect-sessions/reauthorize": [
    {
      at: "body.connectionId",
      theirs: connection,
      call: (connectionId) => ({
        path: "/v1/connect-sessions/reauthorize",
        body: { connectionId, endUser, allowedOrigins },
      }),
    },
    {
      at: "body.returnUrl",
      theirs: ({ side }) => side.returnUrl,
      call: (returnUrl, caller) => ({
        path: "/v1/connect-sessions/reauthorize",
        body: { connectionId: caller.first.connectionId, endUser, allowedOrigins, returnUrl },
      }),
    },
  ],
  "GET /v1/connections": [
    { at: "query.cursor", theirs: cursorOf("/v1/connections"), call: inQuery("/v1/connections", "cursor") },
    { at: "query.tenantId", theirs: ({ tenant }) => tenant.id, call: inQuery("/v1/connections", "tenantId") },
  ],
  "GET /v1/connections/{id}": [onConnection("")],
  "DELETE /v1/connections/{id}": [onConnection("")],
  "POST /v1/connections/{id}/pause": [onConnection("/pause")],
  "POST /v1/connections/{id}/resume": [onConnection("/resume")],
  "POST /v1/connections/{id}/test": [onConnection("/test")],
  "POST /v1/connections/import": [
    {
      at: "body.tenantId",
      theirs: ({ tenant }) => tenant.id,
      call: (tenantId) => ({
        path: "/v1/connections/import",
        body: { tenantId, provider: "shopify", parameters: { shop: "acme-goods" }, tokens: { accessToken: "shpat_x" } },
      }),
    },
    {
      at: "body.providerAccountId",
      theirs: () => "gid://shopify/Shop/1",
      call: (providerAccountId, caller) => ({
        path: "/v1/connections/import",
        body: {
          tenantId: caller.first.id,
          provider: "shopify",
          parameters: { shop: "acme-goods" },
          tokens: { accessToken: "shpat_x" },
          providerAccountId,
        },
      }),
    },
  ],
  "POST /v1/connections/{id}/export": [onConnection("/export", { publicKey: RSA_KEY })],
  "GET /v1/connections/{id}/capabilities": [onConnection("/capabilities")],
  "POST /v1/connections/{id}/runs": [onConnection("/runs", {})],
  "GET /v1/runs": [
    { at: "query.cursor", theirs: cursorOf("/v1/runs"), call: inQuery("/v1/runs", "cursor") },
    { at: "query.connectionId", theirs: connection, call: inQuery("/v1/runs", "connectionId") },
  ],
  "GET /v1/runs/{id}": [{ at: "path.id", theirs: ({ tenant }) => tenant.runId, call: inPath("/v1/runs/") }],
  "POST /v1/runs/{id}/cancel": [
    { at: "path.id", theirs: ({ tenant }) => tenant.runId, call: inPath("/v1/runs/", "/cancel") },
  ],
  "GET /v1/tenants/{tenant}/records/{model}": [
    { at: "path.tenant", theirs: ({ tenant }) => tenant.id, call: inPath("/v1/tenants/", "/records/order") },
    {
      at: "query.cursor",
      theirs: cursorOf(({ tenant }) => records(tenant.id)),
      call: (id, caller) => inQuery(records(caller.first.id), "cursor")(id),
    },
    {
      at: "query.connectionId",
      theirs: connection,
      call: (id, caller) => inQuery(records(caller.first.id), "connectionId")(id),
    },
  ],
  "GET /v1/tenants/{tenant}/records/{model}/export": [
    { at: "path.tenant", theirs: ({ tenant }) => tenant.id, call: inPath("/v1/tenants/", "/records/order/export") },
    {
      at: "query.connectionId",
      theirs: connection,
      call: (id, caller) => inQuery(`${records(caller.first.id)}/export`, "connectionId")(id),
    },
  ],
  "GET /v1/tenants/{tenant}/records/{model}/{id}": [
    {
      at: "path.tenant",
      theirs: ({ tenant }) => tenant.id,
      call: (id, caller) => inPath("/v1/tenants/", `/records/order/${caller.first.orderId}`)(id),
    },
    {
      at: "path.id",
      theirs: ({ tenant }) => tenant.orderId,
      call: (id, caller) => inPath(`${records(caller.first.id)}/`)(id),
    },
  ],
  "GET /v1/events": [
    { at: "query.after", theirs: cursorOf("/v1/events"), call: inQuery("/v1/events", "after") },
    { at: "query.tenantId", theirs: ({ tenant }) => tenant.id, call: inQuery("/v1/events", "tenantId") },
  ],
  "GET /v1/event-types": [],
  "GET /v1/events/stream": [
    { at: "query.after", theirs: cursorOf("/v1/events"), call: inQuery("/v1/events/stream", "after") },
    {
      at: "header.last-event-id",
      theirs: cursorOf("/v1/events"),
      call: (id) => ({ path: "/v1/events/stream", headers: { "last-event-id": id } }),
    },
    { at: "query.tenantId", theirs: ({ tenant }) => tenant.id, call: inQuery("/v1/events/stream", "tenantId") },
  ],
  "GET /v1/events/{id}": [{ at: "path.id", theirs: ({ tenant }) => tenant.eventId, call: inPath("/v1/events/") }],
  "POST /v1/webhook-endpoints": [
    {
      at: "body.tenantIds",
      theirs: ({ tenant }) => tenant.id,
      call: (id) => ({ path: "/v1/webhook-endpoints", body: { url: "https://example.com/", tenantIds: [id] } }),
    },
  ],
  "GET /v1/webhook-endpoints": [
    {
      at: "query.cursor",
      theirs: cursorOf("/v1/webhook-endpoints"),
      call: inQuery("/v1/webhook-endpoints", "cursor"),
    },
  ],
  "GET /v1/webhook-endpoints/{id}": [onEndpoint("")],
  "PATCH /v1/webhook-endpoints/{id}": [
    onEndpoint("", { description: "theirs" }),
    {
      at: "body.tenantIds",
      theirs: ({ tenant }) => tenant.id,
      call: (id, caller) => ({ path: `/v1/webhook-endpoints/${caller.endpointId}`, body: { tenantIds: [id] } }),
    },
  ],
  "DELETE /v1/webhook-endpoints/{id}": [onEndpoint("")],
  "POST /v1/webhook-endpoints/{id}/rotate-secret": [onEndpoint("/rotate-secret", {})],
  "POST /v1/webhook-endpoints/{id}/test": [onEndpoint("/test"), onEndpoint("/test", { signWith: "newest" })],
  "GET /v1/webhook-endpoints/{id}/attempts": [
    onEndpoint("/attempts"),
    {
      at: "query.cursor",
      theirs: cursorOf(({ side }) => `/v1/webhook-endpoints/${side.endpointId}/attempts`),
      call: (id, caller) => inQuery(`/v1/webhook-endpoints/${caller.endpointId}/attempts`, "cursor")(id),
    },
  ],
  "POST /v1/webhook-endpoints/{id}/replay": [
    onEndpoint("/replay", { only: "failed", dryRun: true }),
    {
      at: "body.eventIds",
      theirs: ({ tenant }) => tenant.eventId,
      call: (id, caller) => onReplay(caller, { eventIds: [id] }),
    },
    {
      at: "body.tenantId",
      theirs: ({ tenant }) => tenant.id,
      call: (tenantId, caller) => onReplay(caller, { tenantId, only: "failed" }),
    },
  ],
  "GET /v1/delivery-replays": [
    { at: "query.cursor", theirs: cursorOf("/v1/delivery-replays"), call: inQuery("/v1/delivery-replays", "cursor") },
    { at: "query.endpointId", theirs: endpoint, call: inQuery("/v1/delivery-replays", "endpointId") },
  ],
  "GET /v1/delivery-replays/{id}": [
    { at: "path.id", theirs: ({ side }) => side.deliveryReplayId, call: inPath("/v1/delivery-replays/") },
  ],
  "POST /v1/delivery-replays/{id}/cancel": [
    { at: "path.id", theirs: ({ side }) => side.deliveryReplayId, call: inPath("/v1/delivery-replays/", "/cancel") },
  ],
  "GET /v1/deliveries": [
    { at: "query.cursor", theirs: cursorOf("/v1/deliveries"), call: inQuery("/v1/deliveries", "cursor") },
    { at: "query.endpointId", theirs: endpoint, call: inQuery("/v1/deliveries", "endpointId") },
  ],
  "POST /v1/deliveries/{id}/retry": [
    { at: "path.id", theirs: ({ side }) => side.deliveryId, call: inPath("/v1/deliveries/", "/retry") },
  ],
  "POST /v1/deliveries/{id}/skip": [
    { at: "path.id", theirs: ({ side }) => side.deliveryId, call: inPath("/v1/deliveries/", "/skip") },
  ],
  "GET /v1/dead-letters": [
    { at: "query.cursor", theirs: cursorOf("/v1/deliveries"), call: inQuery("/v1/dead-letters", "cursor") },
    { at: "query.endpointId", theirs: endpoint, call: inQuery("/v1/dead-letters", "endpointId") },
  ],
  "GET /v1/inbox": [
    { at: "query.cursor", theirs: cursorOf("/v1/inbox"), call: inQuery("/v1/inbox", "cursor") },
    { at: "query.sourceId", theirs: sourceOf, call: inQuery("/v1/inbox", "sourceId") },
    { at: "query.connectionId", theirs: connection, call: inQuery("/v1/inbox", "connectionId") },
  ],
  "GET /v1/inbox/{id}": [{ at: "path.id", theirs: ({ side }) => side.inboxId, call: inPath("/v1/inbox/") }],
  "GET /v1/inbox/{id}/raw": [{ at: "path.id", theirs: ({ side }) => side.inboxId, call: inPath("/v1/inbox/", "/raw") }],
  "POST /v1/inbox/replay": [
    {
      at: "body.ids",
      theirs: ({ side }) => side.inboxId,
      call: (id) => ({ path: "/v1/inbox/replay", body: { ids: [id], dryRun: true } }),
    },
    {
      at: "body.sourceId",
      theirs: sourceOf,
      call: (sourceId) => ({ path: "/v1/inbox/replay", body: { since: LONG_AGO, sourceId, dryRun: true } }),
    },
    {
      at: "body.connectionId",
      theirs: connection,
      call: (connectionId) => ({ path: "/v1/inbox/replay", body: { since: LONG_AGO, connectionId, dryRun: true } }),
    },
  ],
  "GET /v1/inbox/replays": [
    { at: "query.cursor", theirs: cursorOf("/v1/inbox/replays"), call: inQuery("/v1/inbox/replays", "cursor") },
  ],
  "GET /v1/inbox/replays/{id}": [
    { at: "path.id", theirs: ({ side }) => side.replayId, call: inPath("/v1/inbox/replays/") },
  ],
  "POST /v1/inbox/replays/{id}/cancel": [
    { at: "path.id", theirs: ({ side }) => side.replayId, call: inPath("/v1/inbox/replays/", "/cancel") },
  ],
  "GET /v1/providers": [],
  "GET /v1/providers/{provider}/app": [],
  "PUT /v1/providers/{provider}/app": [
    {
      at: "body.clientId",
      theirs: ({ side }) => side.clientId,
      call: (clientId) => ({ path: "/v1/providers/shopify/app", body: { clientId, clientSecret: "s" } }),
      makes: true,
    },
  ],
  "GET /v1/api-keys": [
    {
      at: "query.cursor",
      theirs: async (owner) => {
        await owner.side.sdk.apiKeys.create({ name: "second", scopes: ["runs:read"] });
        return cursorOf("/v1/api-keys")(owner);
      },
      call: inQuery("/v1/api-keys", "cursor"),
    },
  ],
  "POST /v1/api-keys": [],
  "POST /v1/api-keys/{id}/rotate": [onKey("/rotate", {})],
  "POST /v1/api-keys/{id}/revoke-previous": [onKey("/revoke-previous")],
  "DELETE /v1/api-keys/{id}": [onKey("")],
  "POST /v1/providers/{provider}/app/signing-keys": [],
  "GET /v1/audit": [
    { at: "query.cursor", theirs: cursorOf("/v1/audit"), call: inQuery("/v1/audit", "cursor") },
    { at: "query.actorId", theirs: ofAudit((entry) => entry.actor.id), call: inQuery("/v1/audit", "actorId") },
    // An id that A never tries to change: its own log names what it tried.
    { at: "query.targetId", theirs: ({ tenant }) => tenant.eventId, call: inQuery("/v1/audit", "targetId") },
    { at: "query.requestId", theirs: ofAudit((entry) => entry.requestId), call: inQuery("/v1/audit", "requestId") },
    { at: "query.tenantId", theirs: ({ tenant }) => tenant.id, call: inQuery("/v1/audit", "tenantId") },
    { at: "query.tenantRef", theirs: ofAudit((entry) => entry.tenantRef), call: inQuery("/v1/audit", "tenantRef") },
    {
      at: "query.endUserId",
      theirs: ({ tenant }) => tenant.endUserId,
      call: (id, caller) => inQuery(`/v1/audit?tenantId=${caller.first.id}&`, "endUserId")(id),
    },
  ],
  "GET /v1/audit/export": [],
  "GET /v1/audit/checkpoints": [
    { at: "query.cursor", theirs: cursorOf("/v1/audit"), call: inQuery("/v1/audit/checkpoints", "cursor") },
  ],
  "POST /connect/v1/providers/{id}/resolve": [],
  "POST /connect/v1/authorizations": [
    {
      at: "body.connectionId",
      theirs: connection,
      call: (connectionId) => ({
        path: "/connect/v1/authorizations",
        body: { provider: "shopify", parameters: {}, verifierChallenge: challenge, display: "popup", connectionId },
      }),
    },
  ],
  "GET /connect/v1/authorizations/{id}": [ofWidget("authorizations")],
  "POST /connect/v1/authorizations/{id}/complete": [
    ofWidget("authorizations", "/complete", { verifier: challenge, completionCode: "code" }),
  ],
  "DELETE /connect/v1/authorizations/{id}": [ofWidget("authorizations")],
  "GET /connect/v1/connections/{id}": [ofWidget("connections")],
  "POST /connect/v1/connections/{id}/pause": [ofWidget("connections", "/pause")],
  "POST /connect/v1/connections/{id}/resume": [ofWidget("connections", "/resume")],
  "POST /connect/v1/connections/{id}/runs": [ofWidget("connections", "/runs")],
  "DELETE /connect/v1/connections/{id}": [ofWidget("connections")],
  "POST /admin/v1/workspaces": [],
  "GET /admin/v1/workspaces": [],
  "GET /admin/v1/keys": [],
  "GET /admin/v1/restore": [],
  "POST /admin/v1/restore/confirm": [],
  "POST /admin/v1/restore/erasures": [],
  "POST /admin/v1/workspaces/{id}/key-rotations": [
    {
      at: "path.id",
      theirs: ({ side }) => side.workspace.id,
      call: inPath("/admin/v1/workspaces/", "/key-rotations", { kind: "data" }),
    },
  ],
  "GET /admin/v1/workspaces/{id}/api-keys": [
    asOperator("/api-keys"),
    {
      at: "query.cursor",
      theirs: async ({ side }) => (await side.sdk.apiKeys.list({ limit: 1 }).toArray({ limit: 1 }))[0]?.id ?? "",
      call: (id, caller) => inQuery(`/admin/v1/workspaces/${caller.workspace.id}/api-keys`, "cursor")(id),
    },
  ],
  "POST /admin/v1/workspaces/{id}/api-keys": [asOperator("/api-keys", { name: "theirs" })],
  "POST /admin/v1/workspaces/{id}/api-keys/{key}/rotate": [asOperator("/api-keys/key_x/rotate", {})],
  "POST /admin/v1/workspaces/{id}/api-keys/{key}/revoke-previous": [asOperator("/api-keys/key_x/revoke-previous")],
  "DELETE /admin/v1/workspaces/{id}/api-keys/{key}": [asOperator("/api-keys/key_x")],
};
