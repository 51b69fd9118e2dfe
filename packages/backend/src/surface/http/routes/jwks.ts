import { AppError, decodeUuid, encodeUuid, type ProviderAppId, type WorkspaceId } from "@patchbay/shared";
import type { Hono } from "hono";
import { publishedKeys } from "../../../domain/workspaces/index.ts";
import type { HttpEnv } from "../env.ts";

/** Providers look for new keys about as often; a new key signs an hour after it was published. */
const CACHED_SECONDS = 300;

/** Public keys of provider apps that sign their client assertions: what is registered at the provider. */
export function mountJwks(app: Hono<HttpEnv>, deps: Parameters<typeof publishedKeys>[0]): void {
  app.get("/oauth/jwks/:reference", async (c) => {
    const reference = readReference(c.req.param("reference"));
    const keys = reference === null ? null : await publishedKeys(deps, reference);
    if (keys === null) throw new AppError("not_found", "no such provider app");
    return c.json(keys, 200, { "cache-control": `public, max-age=${CACHED_SECONDS}` });
  });
}

interface AppRef {
  readonly workspaceId: WorkspaceId;
  readonly providerAppId: ProviderAppId;
}

export function jwksUri(publicUrl: string, { workspaceId, providerAppId }: AppRef): string {
  return `${publicUrl}/oauth/jwks/${encodeUuid(workspaceId)}${encodeUuid(providerAppId)}`;
}

function readReference(text: string): AppRef | null {
  if (text.length !== 52) return null;
  const workspaceId = decodeUuid(text.slice(0, 26));
  const providerAppId = decodeUuid(text.slice(26));
  if (workspaceId === null || providerAppId === null) return null;
  // Brands of what the text claims: both together name a row or none, and what is there is public.
  return { workspaceId: workspaceId as WorkspaceId, providerAppId: providerAppId as ProviderAppId };
}
