import type { SealedColumn } from "../vault/index.ts";

const ofApp = {
  table: "provider_apps",
  id: "id",
  idType: "uuid",
  keyColumn: null,
  versionColumn: null,
} as const;

export const WORKSPACES_SEALED: readonly SealedColumn[] = [
  { ...ofApp, column: "client_secret" },
  { ...ofApp, column: "previous_client_secret" },
  { ...ofApp, column: "client_certificate_key" },
  { ...ofApp, table: "provider_app_keys", column: "private_key" },
  {
    table: "idempotency_keys",
    id: "key",
    idType: "text",
    column: "response",
    keyColumn: null,
    versionColumn: null,
  },
];
