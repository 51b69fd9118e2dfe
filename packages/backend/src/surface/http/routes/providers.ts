import {
  AppError,
  MODEL_NAMES,
  Provider,
  ProviderApp,
  PutProviderApp,
  RotateSigningKey,
  SigningKeyInfo,
  encodeId,
  type WorkspaceId,
} from "@patchbay/shared";
import { z } from "zod";
import { fieldsOf, type Connector } from "../../../connectors/kit/index.ts";
import {
  getProviderApp,
  listConfiguredProviders,
  putProviderApp,
  rotateSigningKey,
  type ProviderAppFacts,
} from "../../../domain/workspaces/index.ts";
import type { Ingest } from "../../../products/ingest/index.ts";
import { defineRoute } from "../define-route.ts";
import { jwksUri } from "./jwks.ts";

type Deps = Parameters<typeof putProviderApp>[0] & {
  readonly connectors: readonly Connector[];
  readonly publicUrl: string;
  readonly ingest: Pick<Ingest, "appAddress">;
};

export const providerRoutes = (deps: Deps) => [
  defineRoute(
    {
      method: "get",
      path: "/v1/providers",
      summary: "List providers, what each can give and whether its app is registered",
      tag: "Providers",
      scope: "providers:read",
      request: {},
      responses: { 200: z.strictObject({ data: z.array(Provider) }) },
    },
    async (c) => {
      const configured = new Set(await listConfiguredProviders(deps, c.get("caller").workspaceId));
      return c.json({ data: deps.connectors.map((connector) => toProvider(connector, configured.has(connector.id))) });
    },
  ),
  defineRoute(
    {
      method: "put",
      path: "/v1/providers/{provider}/app",
      summary: "Register your app at a provider; a changed secret overlaps for 24 hours",
      tag: "Providers",
      scope: "providers:write",
      action: "provider_app.put",
      request: { params: z.strictObject({ provider: z.string().max(40) }), body: PutProviderApp },
      responses: { 200: ProviderApp },
    },
    async (c, { params, body }) => {
      const connector = deps.connectors.find(({ id }) => id === params.provider);
      if (connector === undefined) throw new AppError("provider_not_found", "no such provider; see GET /v1/providers");
      const { workspaceId } = c.get("caller");
      const app = await putProviderApp(deps, { workspaceId, provider: connector.id, body });
      return c.json(await toProviderApp(deps, workspaceId, app));
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/providers/{provider}/app",
      summary: "Show your app at a provider, and the addresses to enter there",
      tag: "Providers",
      scope: "providers:read",
      request: { params: z.strictObject({ provider: z.string().max(40) }) },
      responses: { 200: ProviderApp },
    },
    async (c, { params }) => {
      const { workspaceId } = c.get("caller");
      const app = await getProviderApp(deps, { workspaceId, provider: params.provider });
      if (app === null) throw new AppError("provider_app_missing", "register the app first");
      return c.json(await toProviderApp(deps, workspaceId, app));
    },
  ),
  defineRoute(
    {
      method: "post",
      path: "/v1/providers/{provider}/app/signing-keys",
      summary: "Make your app's next signing key, for providers that want private_key_jwt",
      tag: "Providers",
      scope: "providers:write",
      action: "provider_app.rotate_signing_key",
      request: { params: z.strictObject({ provider: z.string().max(40) }), body: RotateSigningKey },
      responses: { 200: SigningKeyInfo },
    },
    async (c, { params, body }) => {
      const { workspaceId } = c.get("caller");
      const app = await getProviderApp(deps, { workspaceId, provider: params.provider });
      if (app === null) throw new AppError("provider_app_missing", "register the app first");
      const ref = { workspaceId, providerAppId: app.id };
      const { keyId, usableFrom } = await rotateSigningKey(deps, { ...ref, ...body });
      return c.json({ keyId, usableFrom: usableFrom.toISOString(), jwksUri: jwksUri(deps.publicUrl, ref) });
    },
  ),
];

async function toProviderApp(deps: Deps, workspaceId: WorkspaceId, app: ProviderAppFacts): Promise<ProviderApp> {
  const { id, provider, clientId, baseUrlOverride, previousSecretUntil } = app;
  return {
    id: encodeId("papp", id),
    provider,
    clientId,
    baseUrlOverride,
    redirectUri: `${deps.publicUrl}/oauth/callback/${provider}`,
    previousSecretUntil: previousSecretUntil?.toISOString() ?? null,
    webhookAddress: await deps.ingest.appAddress({ workspaceId, provider, providerAppId: id }),
  };
}

function toProvider(connector: Connector, configured: boolean): Provider {
  const models = new Set(Object.values(connector.resources).map((resource) => resource.model));
  return {
    id: connector.id,
    name: connector.name,
    models: MODEL_NAMES.filter((model) => models.has(model)).map((model) => ({
      model,
      scopes: connector.scopes.byModel[model] ?? [],
    })),
    configured,
    apiVersion: connector.api.version,
    auth: connector.auth.map((method) => ({
      method: method.id,
      kind: method.kind,
      name: method.name,
      fields: fieldsOf(method).map(({ pattern, prefixes, ...field }) => ({
        ...field,
        prefixes: [...prefixes],
        pattern: pattern.source,
      })),
    })),
  };
}
