import type { ConnectionId, GrantId, ProviderAppId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import type postgres from "postgres";

/** Rows that make one connection possible; override what a test is about. */
export interface ConnectionFixture {
  readonly workspaceId: WorkspaceId;
  readonly tenantUid: TenantUid;
  readonly tenantExternalId: string;
  readonly grantId: GrantId;
  readonly connectionId: ConnectionId;
  readonly providerAppId: ProviderAppId;
  readonly provider: string;
  readonly accountId: string;
}

/** Inserts workspace (unless given), tenant, grant and an active connection, as the superuser. */
export async function aConnection(
  sql: postgres.Sql,
  overrides: Partial<ConnectionFixture> & {
    readonly params?: Readonly<Record<string, string>>;
    readonly models?: readonly string[];
  } = {},
): Promise<ConnectionFixture> {
  const {
    params = { shop: "acme-goods.myshopify.com" },
    models = ["customer", "product", "order"],
    ...ids
  } = overrides;
  const fixture: ConnectionFixture = {
    workspaceId: randomUUID() as WorkspaceId,
    tenantUid: randomUUID() as TenantUid,
    tenantExternalId: "acme",
    grantId: randomUUID() as GrantId,
    connectionId: randomUUID() as ConnectionId,
    providerAppId: randomUUID() as ProviderAppId,
    provider: "shopify",
    accountId: "gid://shopify/Shop/1",
    ...ids,
  };
  const f = fixture;
  await sql`insert into workspaces (id, name, mode, created_at) values (${f.workspaceId}, 'Test host', 'test', now())
            on conflict do nothing`;
  await sql`insert into queue.workspaces (workspace_id, created_at) values (${f.workspaceId}, now()) on conflict do nothing`;
  await sql`insert into tenants (workspace_id, uid, external_id, created_at, updated_at)
            values (${f.workspaceId}, ${f.tenantUid}, ${f.tenantExternalId}, now(), now()) on conflict do nothing`;
  await sql`insert into grants (workspace_id, id, provider, provider_app_id, account_id, mode, params, state, created_at, updated_at)
            values (${f.workspaceId}, ${f.grantId}, ${f.provider}, ${f.providerAppId}, ${f.accountId}, 'test',
                    ${sql.json({ ...params })}, 'active', now(), now())`;
  await sql`insert into connections (workspace_id, id, tenant_uid, grant_id, provider, account_id, account_name,
                                     account_currency, mode, status, models, params, created_at, activated_at, updated_at)
            values (${f.workspaceId}, ${f.connectionId}, ${f.tenantUid}, ${f.grantId}, ${f.provider}, ${f.accountId},
                    'Acme Goods', 'USD', 'test', 'active', ${[...models]}, ${sql.json({ ...params })}, now(), now(), now())`;
  return fixture;
}
