import type postgres from "postgres";

type Tx = Pick<postgres.TransactionSql, "unsafe">;

/** How values are written as text must not depend on the server's settings; and nothing here is quick. */
const SETTINGS = {
  statement_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  timezone: "UTC",
  datestyle: "ISO",
  intervalstyle: "postgres",
  extra_float_digits: "1",
  bytea_output: "hex",
} as const;

/** @param local until the transaction's end; else for the session */
export async function settle(tx: Tx, local: boolean): Promise<void> {
  for (const [name, value] of Object.entries(SETTINGS)) await setTo(tx, name, value, local);
}

/** Steps into a role for the rest of the transaction, with one workspace in view or none. */
export async function stepInto(tx: Tx, role: string, workspaceId = ""): Promise<void> {
  await tx.unsafe(`select set_config('role', $1, true), set_config('app.workspace_id', $2, true)`, [role, workspaceId]);
}

async function setTo(tx: Tx, name: string, value: string, local: boolean): Promise<void> {
  await tx.unsafe(`select set_config($1, $2, $3)`, [name, value, local]);
}
