import type { SealedColumn } from "../../domain/vault/index.ts";

export const DELIVERY_SEALED: readonly SealedColumn[] = [
  {
    table: "endpoint_secrets",
    id: "id",
    idType: "uuid",
    column: "secret",
    keyColumn: null,
    versionColumn: null,
  },
];
