import type { SealedColumn } from "../vault/index.ts";

export const EVENTS_SEALED: readonly SealedColumn[] = [
  {
    table: "events",
    id: "id",
    idType: "uuid",
    column: "body",
    keyColumn: "body_key_id",
    versionColumn: null,
  },
];
