import { z } from "zod";

/**
 * A backup is gzip of lines:
 *
 * ```
 * patchbay-backup 1
 * {header}
 * {"table":"public.tenants","columns":["workspace_id",…]}      one part per table, parents before children
 * …rows as COPY writes them…
 * \.
 * {"tables":[{"table":…,"rows":…,"sha256":…,"digest":…},…]}    what must have been read
 * {"sha256":…,"mac":…}                                        over all lines before
 * ```
 *
 * A row of COPY's text format holds no line break, and none is `\.`. What does not end with the last line is cut off.
 */
export const FIRST_LINE = "patchbay-backup 1";
export const END_OF_ROWS = "\\.";

/** In memory at once; the longest row is a raw webhook of 5 MiB, in hexadecimal. */
export const LINE_BYTES_MAX = 128 * 1024 * 1024;

/** The key of the backup's code, wrapped by the key-encryption key. */
export interface WrappedBackupKey {
  readonly provider: string;
  readonly kekVersion: string;
  /** Base64. */
  readonly wrapped: string;
}

export interface BackupHeader {
  readonly id: string;
  /** Version that wrote it. */
  readonly patchbay: string;
  /** PostgreSQL. */
  readonly server: string;
  /** The instant that all of it shows, RFC 3339. */
  readonly takenAt: string;
  /** What had been applied to the schema, oldest first. */
  readonly migrations: readonly { readonly createdAt: number; readonly hash: string }[];
  readonly partitions: readonly Partition[];
  readonly key: WrappedBackupKey;
}

/** A part of a table by time; `from` and `to` as the server prints them in UTC. */
export interface Partition {
  readonly name: string;
  readonly parent: string;
  readonly from: string;
  readonly to: string;
}

export interface TablePart {
  /** With its schema. */
  readonly table: string;
  readonly columns: readonly string[];
}

export interface TableSum {
  readonly table: string;
  readonly rows: number;
  /** Of the rows as they stand, hexadecimal. */
  readonly sha256: string;
  /** Sum of the rows' hashes: the same in any order. */
  readonly digest: string;
}

const identifier = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/);
const table = z.string().regex(/^(?:public|queue)\.[a-z_][a-z0-9_]{0,62}$/);
const bound = z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00$/);
const hex = z.string().regex(/^[0-9a-f]{64}$/);

export const BackupHeader: z.ZodType<BackupHeader> = z.strictObject({
  id: z.uuid(),
  patchbay: z.string(),
  server: z.string(),
  takenAt: z.iso.datetime(),
  migrations: z.array(z.strictObject({ createdAt: z.int(), hash: hex })).min(1),
  partitions: z.array(z.strictObject({ name: identifier, parent: table, from: bound, to: bound })),
  key: z.strictObject({ provider: z.string(), kekVersion: z.string(), wrapped: z.base64() }),
});
export const TablePart: z.ZodType<TablePart> = z.strictObject({ table, columns: z.array(identifier).min(1) });
export const TableSums: z.ZodType<{ readonly tables: readonly TableSum[] }> = z.strictObject({
  tables: z.array(z.strictObject({ table, rows: z.int().min(0), sha256: hex, digest: hex })),
});
export const BackupEnd: z.ZodType<{ readonly sha256: string; readonly mac: string }> = z.strictObject({
  sha256: hex,
  mac: hex,
});
