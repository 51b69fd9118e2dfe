import type { SealedColumn } from "../vault/index.ts";

const ofGrant = { table: "grants", id: "id", idType: "uuid", keyColumn: null, versionColumn: "row_version" } as const;

export const CONNECTIONS_SEALED: readonly SealedColumn[] = [
  { ...ofGrant, column: "tokens" },
  { ...ofGrant, column: "previous_tokens" },
  {
    table: "orphan_token_pairs",
    id: "id",
    idType: "uuid",
    column: "tokens",
    keyColumn: null,
    versionColumn: null,
  },
];
