import type { SealedColumn } from "../vault/index.ts";

export const RECORDS_SEALED: readonly SealedColumn[] = [
  {
    table: "records",
    id: "id",
    idType: "uuid",
    column: "raw",
    keyColumn: "body_key_id",
    versionColumn: "version",
  },
  {
    table: "record_quarantine",
    id: "id",
    idType: "uuid",
    column: "raw",
    keyColumn: "body_key_id",
    versionColumn: null,
  },
];
