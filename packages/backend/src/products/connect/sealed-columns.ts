import type { SealedColumn } from "../../domain/vault/index.ts";

export const CONNECT_SEALED: readonly SealedColumn[] = [
  {
    table: "authorizations",
    id: "id",
    idType: "uuid",
    column: "pkce_verifier",
    keyColumn: null,
    versionColumn: null,
  },
];
