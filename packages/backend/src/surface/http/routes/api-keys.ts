import {
  ApiKey,
  ApiKeyWithSecret,
  AppError,
  CreateApiKey,
  RotateApiKey,
  decodeId,
  pageOf,
  pageQuery,
} from "@patchbay/shared";
import { z } from "zod";
import {
  createApiKey,
  listApiKeys,
  revokeApiKey,
  revokePreviousSecret,
  rotateApiKey,
} from "../../../domain/workspaces/index.ts";
import type { WithWorkspace } from "../../../platform/db/index.ts";
import type { Clock } from "../../../platform/runtime/index.ts";
import { defineRoute } from "../define-route.ts";
import { edgeId } from "./edge-id.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly clock: Clock;
}

const PATH = "/v1/api-keys";
const ADMIN_PATH = "/admin/v1/workspaces/{id}/api-keys";
const TAG = "API keys";
const ApiKeyPage = pageOf("ApiKeyPage", ApiKey);
const Params = z.strictObject({ id: z.string().max(60) });
const AdminParams = z.strictObject({ id: z.string().max(60), key: z.string().max(60) });
const PageQuery = z.strictObject(pageQuery);
const workspaceIdOf = (text: string) => edgeId("ws", text, "workspace_not_found");
const keyIdOf = (text: string) => edgeId("key", text, "api_key_not_found");

/** A workspace's own keys, in the hands of one of them: it cannot hand out more than it has. */
export const apiKeyRoutes = (deps: Deps) => [
  defineRoute(
    {
      method: "get",
      path: PATH,
      summary: "List API keys, newest first",
      tag: TAG,
      scope: "api_keys:read",
      request: { query: PageQuery },
      responses: { 200: ApiKeyPage },
    },
    async (c, { query }) => {
      const { workspaceId } = c.get("caller");
      return c.json(await listApiKeys(deps, { workspaceId, limit: query.limit, before: beforeOf(query.cursor) }));
    },
  ),
  defineRoute(
    {
      method: "post",
      path: PATH,
      summary: "Make an API key; its secret is shown once",
      tag: TAG,
      scope: "api_keys:write",
      request: { body: CreateApiKey },
      responses: { 201: ApiKeyWithSecret },
    },
    async (c, { body }) => {
      const by = c.get("caller");
      return c.json(await createApiKey(deps, { ...body, workspaceId: by.workspaceId, by }), 201);
    },
  ),
  defineRoute(
    {
      method: "post",
      path: `${PATH}/{id}/rotate`,
      summary: "Give a key a new secret; the former one stays good for a while",
      tag: TAG,
      scope: "api_keys:write",
      request: { params: Params, body: RotateApiKey },
      responses: { 200: ApiKeyWithSecret },
    },
    async (c, { params, body }) => {
      const by = c.get("caller");
      const key = { workspaceId: by.workspaceId, keyId: keyIdOf(params.id) };
      return c.json(await rotateApiKey(deps, { ...body, ...key, by }));
    },
  ),
  defineRoute(
    {
      method: "post",
      path: `${PATH}/{id}/revoke-previous`,
      summary: "End the overlap of a rotation now",
      tag: TAG,
      scope: "api_keys:write",
      request: { params: Params },
      responses: { 200: ApiKey },
    },
    async (c, { params }) => {
      const { workspaceId } = c.get("caller");
      return c.json(await revokePreviousSecret(deps, { workspaceId, keyId: keyIdOf(params.id) }));
    },
  ),
  defineRoute(
    {
      method: "delete",
      path: `${PATH}/{id}`,
      summary: "Revoke a key, at once and for good; `self=true` to revoke the one that asks",
      tag: TAG,
      scope: "api_keys:write",
      request: { params: Params, query: z.strictObject({ self: z.enum(["true", "false"]).optional() }) },
      responses: { 200: ApiKey },
    },
    async (c, { params, query }) => {
      const caller = c.get("caller");
      const keyId = keyIdOf(params.id);
      if (keyId === caller.keyId && query.self !== "true") {
        throw new AppError("conflict", "this is the API key that you use; add ?self=true if you mean it");
      }
      return c.json(await revokeApiKey(deps, { workspaceId: caller.workspaceId, keyId }));
    },
  ),
];

/** The same for the operator, who may hand out anything. */
export const apiKeyAdminRoutes = (deps: Deps) => [
  defineRoute(
    {
      method: "get",
      path: ADMIN_PATH,
      summary: "List a workspace's API keys, newest first",
      tag: "Operator",
      scope: null,
      request: { params: Params, query: PageQuery },
      responses: { 200: ApiKeyPage },
    },
    async (c, { params, query }) => {
      const workspaceId = workspaceIdOf(params.id);
      return c.json(await listApiKeys(deps, { workspaceId, limit: query.limit, before: beforeOf(query.cursor) }));
    },
  ),
  defineRoute(
    {
      method: "post",
      path: ADMIN_PATH,
      summary: "Make an API key; its secret is shown once",
      tag: "Operator",
      scope: null,
      request: { params: Params, body: CreateApiKey },
      responses: { 201: ApiKeyWithSecret },
    },
    async (c, { params, body }) =>
      c.json(await createApiKey(deps, { ...body, workspaceId: workspaceIdOf(params.id) }), 201),
  ),
  defineRoute(
    {
      method: "post",
      path: `${ADMIN_PATH}/{key}/rotate`,
      summary: "Give a key a new secret; the former one stays good for a while",
      tag: "Operator",
      scope: null,
      request: { params: AdminParams, body: RotateApiKey },
      responses: { 200: ApiKeyWithSecret },
    },
    async (c, { params, body }) => c.json(await rotateApiKey(deps, { ...body, ...ofPath(params) })),
  ),
  defineRoute(
    {
      method: "post",
      path: `${ADMIN_PATH}/{key}/revoke-previous`,
      summary: "End the overlap of a rotation now",
      tag: "Operator",
      scope: null,
      request: { params: AdminParams },
      responses: { 200: ApiKey },
    },
    async (c, { params }) => c.json(await revokePreviousSecret(deps, ofPath(params))),
  ),
  defineRoute(
    {
      method: "delete",
      path: `${ADMIN_PATH}/{key}`,
      summary: "Revoke a key, at once and for good",
      tag: "Operator",
      scope: null,
      request: { params: AdminParams },
      responses: { 200: ApiKey },
    },
    async (c, { params }) => c.json(await revokeApiKey(deps, ofPath(params))),
  ),
];

function ofPath(params: { readonly id: string; readonly key: string }) {
  return { workspaceId: workspaceIdOf(params.id), keyId: keyIdOf(params.key) };
}

function beforeOf(cursor: string | undefined) {
  if (cursor === undefined) return undefined;
  const id = decodeId("key", cursor);
  if (id === null)
    throw new AppError("invalid_cursor", "this cursor is not one that this list gave; start without one");
  return id;
}
