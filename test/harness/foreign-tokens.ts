/** Tokens as another system holds them for the same provider app. */
export interface ForeignTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
}

/** Consents in a sandbox store and exchanges the code, without Patchbay. */
export async function foreignTokens(input: {
  readonly sandboxUrl: string;
  readonly shop: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri?: string;
  readonly scope?: string;
}): Promise<ForeignTokens> {
  const { clientId, clientSecret, redirectUri = "http://localhost:1/callback" } = input;
  const scope = input.scope ?? "read_customers,read_products,read_inventory,read_orders";
  const query = new URLSearchParams({ client_id: clientId, scope, redirect_uri: redirectUri, state: "s" });
  const base = `${input.sandboxUrl}/_shops/${input.shop}/admin/oauth`;
  const consent = await fetch(`${base}/authorize?${query}`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ decision: "install" }),
  });
  const code = new URL(consent.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const answer = await fetch(`${base}/access_token`, {
    method: "POST",
    body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret, code, expiring: "1" }),
  });
  const body = (await answer.json()) as { access_token: string; refresh_token: string; expires_in: number };
  return { accessToken: body.access_token, refreshToken: body.refresh_token, expiresInSeconds: body.expires_in };
}
