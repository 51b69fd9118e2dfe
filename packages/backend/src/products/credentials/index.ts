export { createCredentials, type CreateCredentials, type Credentials } from "./credentials.ts";
export type { Access, GrantDeath, GrantTarget } from "./deps.ts";
export { createGrantNews, type GrantNews } from "./grant-news.ts";
export type { GrantFacts } from "./load-grant.ts";
export type { OAuthParty, TokenOutcome, TokenSet } from "./oauth-client.ts";
export { placeCredential, type Credential } from "./place.ts";
export type { RotatingGrant, Rotations } from "./rotations.ts";
export { providerUrl } from "./provider-url.ts";
export type { StoreGrant, StoreHandedOver, StoredGrant } from "./store-grant.ts";
