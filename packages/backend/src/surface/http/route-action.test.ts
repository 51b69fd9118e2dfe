import { describe, expect, test } from "vitest";
import { actionOf, targetOf } from "./route-action.ts";

describe("the audit log's name of a route", () => {
  test.each([
    ["post", "/v1/connections/{id}/pause", "connection.pause", "connection", "id"],
    ["delete", "/v1/connections/{id}", "connection.delete", "connection", "id"],
    ["post", "/v1/connections/{id}/runs", "run.create", "connection", "id"],
    ["post", "/v1/connections/import", "connection.import", null, null],
    ["post", "/v1/connect-sessions", "connect_session.create", null, null],
    ["post", "/v1/connect-sessions/reauthorize", "connect_session.reauthorize", null, null],
    ["put", "/v1/tenants/{id}", "tenant.put", "tenant", "id"],
    ["patch", "/v1/webhook-endpoints/{id}", "webhook_endpoint.update", "webhook_endpoint", "id"],
    ["post", "/v1/webhook-endpoints/{id}/rotate-secret", "webhook_endpoint.rotate_secret", "webhook_endpoint", "id"],
    ["post", "/v1/deliveries/{id}/retry", "delivery.retry", "delivery", "id"],
    ["post", "/connect/v1/authorizations/{id}/complete", "authorization.complete", "authorization", "id"],
    ["post", "/admin/v1/workspaces/{id}/api-keys", "api_key.create", "workspace", "id"],
    ["post", "/admin/v1/workspaces/{id}/api-keys/{key}/rotate", "api_key.rotate", "api_key", "key"],
    ["post", "/v1/api-keys/{id}/revoke-previous", "api_key.revoke_previous", "api_key", "id"],
    ["get", "/v1/tenants/{tenant}/records/{model}/{id}", "record.read", "record", "id"],
  ] as const)("%s %s is %s", (method, path, action, type, param) => {
    expect(actionOf({ method, path })).toBe(action);
    expect(targetOf({ path })).toEqual(type === null ? null : { type, param });
  });
});
