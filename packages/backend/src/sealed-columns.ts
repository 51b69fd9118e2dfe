import { CONNECTIONS_SEALED } from "./domain/connections/index.ts";
import { EVENTS_SEALED } from "./domain/events/index.ts";
import { RECORDS_SEALED } from "./domain/records/index.ts";
import type { SealedColumn } from "./domain/vault/index.ts";
import { WORKSPACES_SEALED } from "./domain/workspaces/index.ts";
import { CONNECT_SEALED } from "./products/connect/index.ts";
import { DELIVERY_SEALED } from "./products/delivery/index.ts";

/** All that rotation seals anew, what matters most first. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  ...CONNECTIONS_SEALED,
  ...WORKSPACES_SEALED,
  ...DELIVERY_SEALED,
  ...CONNECT_SEALED,
  ...RECORDS_SEALED,
  ...EVENTS_SEALED,
];
