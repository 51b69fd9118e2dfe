import type { ApiKeyAuth, ClientCredentialsAuth } from "../kit/index.ts";
import { oauth2, origin } from "./auth.ts";

/** Apps that merchants made in their own admin. None can be made any more since 2026; those that exist go on working. */
export const customApp: ApiKeyAuth = {
  kind: "api_key",
  id: "custom_app",
  name: "Custom app token",
  fields: [
    {
      name: "accessToken",
      label: "Admin API access token",
      hint: "In Shopify admin: Settings › Apps › Develop apps › your app › API credentials. It begins with shpat_.",
      secret: true,
      prefixes: ["shpat_", "shpca_"],
      pattern: /^shp(?:at|ca)_[A-Za-z0-9]{16,128}$/,
      multiline: false,
      required: true,
    },
  ],
  place: [{ kind: "header", field: "accessToken", ...oauth2.tokenHeader }],
};

/** An app of the merchant's own organization: a token for a day, without a refresh token. */
export const clientCredentials: ClientCredentialsAuth = {
  kind: "client_credentials",
  id: "client_credentials",
  name: "App of your own organization",
  client: "connection",
  sendsScopes: false,
  fields: [
    {
      name: "clientId",
      label: "Client ID",
      hint: "In the Dev Dashboard: your app › Settings.",
      secret: false,
      prefixes: [],
      pattern: /^[A-Za-z0-9_-]{1,128}$/,
      multiline: false,
      required: true,
    },
    {
      name: "clientSecret",
      label: "Client secret",
      hint: "In the Dev Dashboard: your app › Settings.",
      secret: true,
      prefixes: [],
      pattern: /^[A-Za-z0-9_-]{1,256}$/,
      multiline: false,
      required: true,
    },
  ],
  parameters: {},
  tokenUrl: (params) => `${origin(params)}/admin/oauth/access_token`,
  issuer: null,
  clientAuthentication: { kind: "client_secret_post" },
  tokenRequestFormat: "form",
  scopeSeparator: ",",
  tokenHeader: oauth2.tokenHeader,
  // A day, should an answer not tell.
  defaultLifetimeSeconds: 86_400,
  revocationUrl: null,
  introspectionUrl: null,
};
