import { randomBytes } from "node:crypto";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { consentPage, problemPage } from "../oauth/consent-page.ts";
import { grant, TokenRequest } from "../oauth/grants.ts";
import { signParameters } from "../oauth/hmac.ts";
import { allowsRedirect } from "../oauth/redirect-uris.ts";
import { KNOWN_SCOPE, parseScopes } from "../oauth/scopes.ts";
import type { AppRegistration } from "../world.ts";
import type { Env, Services } from "./env.ts";

const MAX_BODY_BYTES = 64 * 1024;
const MAX_CODES = 500;

/** Consent page and token endpoint. */
export function oauth(services: Services): Hono<Env> {
  const routes = new Hono<Env>();
  const limit = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json({ error: "invalid_request" }, 413) });
  routes.get("/admin/oauth/authorize", (c) => {
    const asked = authorization(services, c);
    if ("problem" in asked) return c.html(problemPage(asked.problem), 400);
    const { catalog, installs } = c.get("shop");
    const installed = installs.get(asked.app.clientId)?.scopes ?? null;
    return c.html(consentPage({ shop: catalog.profile, app: asked.app, scopes: asked.scopes, installed }));
  });
  routes.post("/admin/oauth/authorize", limit, (c) => decide(services, c));
  routes.post("/admin/oauth/access_token", limit, async (c) => {
    const result = grant(services.world, c.get("shop"), TokenRequest.parse(await fields(c)));
    services.changed();
    c.header("Cache-Control", "no-store");
    return c.json(result.body, result.status);
  });
  return routes;
}

interface Authorization {
  readonly app: AppRegistration;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly state: string | null;
  readonly online: boolean;
}

function authorization(services: Services, c: Context<Env>): Authorization | { readonly problem: string } {
  const app = services.world.state.apps.get(c.req.query("client_id") ?? "");
  if (!app) return { problem: "Oauth error invalid_request: Could not find Shopify API application with api_key" };
  const redirectUri = c.req.query("redirect_uri") ?? "";
  if (!allowsRedirect(app.redirectUris, redirectUri)) {
    return { problem: "Oauth error invalid_request: The redirect_uri is not whitelisted" };
  }
  const asked = parseScopes(c.req.query("scope") ?? "");
  const unknown = asked.find((scope) => !KNOWN_SCOPE.test(scope));
  if (unknown !== undefined) return { problem: `Oauth error invalid_scope: ${unknown} is not a valid access scope` };
  const installed = c.get("shop").installs.get(app.clientId)?.scopes ?? [];
  const scopes = asked.length > 0 ? [...new Set(asked)] : installed;
  const online = (c.req.queries("grant_options[]") ?? []).includes("per-user");
  return { app, scopes, redirectUri, state: c.req.query("state") ?? null, online };
}

async function decide(services: Services, c: Context<Env>) {
  const asked = authorization(services, c);
  if ("problem" in asked) return c.html(problemPage(asked.problem), 400);
  const form = await c.req.parseBody();
  if (form["decision"] !== "install") {
    const refusal = { error: "access_denied", error_description: "The merchant cancelled the installation" };
    return c.redirect(signedCallback(services, c, asked, refusal), 302);
  }
  const { codes } = c.get("shop");
  const value = randomBytes(16).toString("hex");
  const { app, scopes, redirectUri, online } = asked;
  codes.set(value, {
    value,
    clientId: app.clientId,
    scopes,
    redirectUri,
    online,
    issuedAt: services.world.clock.now(),
    used: false,
  });
  const [oldest] = codes.keys();
  if (codes.size > MAX_CODES && oldest !== undefined) codes.delete(oldest);
  return c.redirect(signedCallback(services, c, asked, { code: value }), 302);
}

function signedCallback(
  services: Services,
  c: Context<Env>,
  asked: Authorization,
  outcome: Readonly<Record<string, string>>,
): string {
  const { domain } = c.get("shop").catalog.profile;
  const parameters: Record<string, string> = {
    ...outcome,
    host: Buffer.from(`admin.shopify.com/store/${domain.replace(".myshopify.com", "")}`)
      .toString("base64")
      .replace(/=+$/, ""),
    shop: domain,
    timestamp: String(Math.floor(services.world.clock.now().getTime() / 1000)),
    ...(asked.state === null ? {} : { state: asked.state }),
  };
  const url = new URL(asked.redirectUri);
  for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value);
  url.searchParams.set("hmac", signParameters(Object.fromEntries(url.searchParams), asked.app.clientSecret));
  return url.href;
}

async function fields(c: Context<Env>): Promise<unknown> {
  if (!(c.req.header("Content-Type") ?? "").includes("json")) return c.req.parseBody();
  try {
    const body: unknown = await c.req.json();
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    return {};
  }
}
