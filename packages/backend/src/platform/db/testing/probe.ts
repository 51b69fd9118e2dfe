import type postgres from "postgres";
import {
  aSide,
  insertOf,
  quote,
  rowsOf,
  workspaceColumn,
  workspaceTables,
  type Side,
  type Sides,
  type Table,
} from "./matrix.ts";

/** Under which settings statements are tried; `null`: never set on this connection, `""`: left over from another one. */
interface Context {
  readonly name: string;
  readonly workspace: string | null;
  readonly tenant: string;
}

/** One statement that must reach nothing. */
interface Probe {
  readonly verb: string;
  readonly sql: string;
}

export const ROLES = [
  "patchbay_app",
  "patchbay_worker",
  "patchbay_ingest",
  "patchbay_maintenance",
  "patchbay_owner",
] as const;

/** Partitions of one table that are tried; they are all made by the same statement. */
const CHILDREN_MAX = 20;
/** What is meant to be: one batch of webhooks mixes workspaces. The role can read none of it. */
const MEANT: ReadonlySet<string> = new Set(["patchbay_ingest inbox insert"]);

/**
 * A row of each side in every table, and the function that tries statements: all in the caller's transaction, which
 * rolls back. Foreign keys are off, so that isolation alone can refuse.
 */
export async function arrange(tx: postgres.TransactionSql): Promise<{ tables: readonly Table[]; sides: Sides }> {
  await tx`set local session_replication_role = replica`;
  const ours = aSide();
  const sides = { ours, sibling: aSide(ours.workspace), theirs: aSide() };
  const tables = await workspaceTables(tx);
  for (const table of tables) {
    for (const side of Object.values(sides)) await tx.unsafe(`${insertOf(table, side)} on conflict do nothing`);
  }
  // Rows that a statement reached; -1: it was refused. Whatever it did is taken back.
  await tx.unsafe(`
    create function app.reach(statements text[]) returns int[] language plpgsql as $$
    declare reached int[] := '{}'; statement text; rows bigint;
    begin
      foreach statement in array statements loop
        begin
          execute statement;
          get diagnostics rows = row_count;
          raise exception using errcode = 'PB000';
        exception
          when sqlstate 'PB000' then reached := reached || rows::int;
          when others then reached := reached || -1;
        end;
      end loop;
      return reached;
    end $$`);
  return { tables, sides };
}

/** Statements on `tables` that reached rows that they must not, as `role context table verb`: found as one goes on. */
export async function* leaks(
  tx: postgres.TransactionSql,
  tables: readonly Table[],
  sides: Sides,
): AsyncGenerator<string> {
  for (const role of ROLES) {
    for (const context of contextsOf(sides)) {
      for (const table of tables) {
        const probes = probesOf(table, role, context, sides);
        const reached = await reach(tx, role, context, probes);
        for (const [index, { verb }] of probes.entries()) {
          if ((reached[index] ?? 0) <= 0 || MEANT.has(`${role} ${table.name} ${verb}`)) continue;
          yield `${role}, ${context.name}: ${verb} of ${table.name}`;
        }
      }
    }
  }
}

/** Rows of the caller's own that `select` shows: that nothing leaks must not be because nothing works. */
export async function ownRows(
  tx: postgres.TransactionSql,
  role: (typeof ROLES)[number],
  table: Table,
  own: Side,
  tenantScope: boolean,
): Promise<number> {
  const context = { name: "own", workspace: own.workspace, tenant: tenantScope ? own.tenant : "" };
  const sql = `select from ${quote(table.name)} where ${rowsOf(table, own)}`;
  return (await reach(tx, role, context, [{ verb: "select", sql }]))[0] ?? -1;
}

/** Rows that a statement without any condition reaches, of one's own and of others. */
export async function withoutCondition(
  tx: postgres.TransactionSql,
  table: Table,
  sides: Sides,
): Promise<{ readonly verb: string; readonly reached: number; readonly own: number }[]> {
  const context = { name: "ours", workspace: sides.ours.workspace, tenant: "" };
  const column = workspaceColumn(table);
  const settable = quote(table.settable["patchbay_app"] ?? column);
  const name = quote(table.name);
  const probes = [
    { verb: "select", sql: `select from ${name}` },
    { verb: "update", sql: `update ${name} set ${settable} = ${settable}` },
    { verb: "delete", sql: `delete from ${name}` },
  ];
  const reached = await reach(tx, "patchbay_app", context, probes);
  const [row] = await tx.unsafe<{ own: string }[]>(
    `select count(*) as own from ${name} where ${column} = '${sides.ours.workspace}'`,
  );
  return probes.map(({ verb }, index) => ({ verb, reached: reached[index] ?? 0, own: Number(row?.own) }));
}

function contextsOf({ ours }: Sides): readonly Context[] {
  return [
    { name: "another workspace's rows", workspace: ours.workspace, tenant: "" },
    { name: "another tenant's rows", workspace: ours.workspace, tenant: ours.tenant },
    { name: "no workspace", workspace: null, tenant: "" },
    { name: "an empty workspace", workspace: "", tenant: "" },
  ];
}

function probesOf(table: Table, role: string, context: Context, { ours, sibling, theirs }: Sides): readonly Probe[] {
  const narrow = context.tenant !== "";
  if (narrow && table.scope === "open") return [];
  const foreign = narrow ? sibling : theirs;
  const target = rowsOf(table, foreign);
  const column = quote(table.settable[role] ?? workspaceColumn(table));
  const probes = (name: string) => [
    { verb: "select", sql: `select from ${name} where ${target}` },
    { verb: "update", sql: `update ${name} set ${column} = ${column} where ${target}` },
    { verb: "delete", sql: `delete from ${name} where ${target}` },
  ];
  const stranger = aSide(narrow ? ours.workspace : undefined);
  return [
    ...probes(quote(table.name)).filter(({ verb }) => !(narrow && table.scope === "read" && verb === "select")),
    { verb: "insert", sql: insertOf(table, stranger) },
    {
      verb: "move",
      sql: `update ${quote(table.name)} set ${moveTo(table, stranger, narrow)} where ${rowsOf(table, ours)}`,
    },
    ...table.children
      .slice(0, CHILDREN_MAX)
      .flatMap((child) => probes(child).map((each) => ({ ...each, verb: `${each.verb} in partition ${child}` }))),
  ];
}

/** What would give a row of one's own to somebody else. */
function moveTo(table: Table, stranger: Side, narrow: boolean): string {
  const column = workspaceColumn(table);
  if (!narrow) return `${column} = '${stranger.workspace}'`;
  switch (table.scope) {
    case "own":
      return `tenant_uid = '${stranger.tenant}'`;
    case "self":
      return `uid = '${stranger.tenant}'`;
    case "connection":
      return `connection_id = '${stranger.connection}'`;
    case "grant":
      return `id = '${stranger.grant}'`;
    case "grant_id":
      return `grant_id = '${stranger.grant}'`;
    case "closed":
    case "open":
    case "read":
      return `${column} = ${column}`;
  }
}

async function reach(
  tx: postgres.TransactionSql,
  role: string,
  context: Context,
  probes: readonly Probe[],
): Promise<readonly number[]> {
  const statements = probes.map(({ sql }) => literal(sql)).join(", ");
  // One round trip. Never set and left over as '' are the same to current_setting(…, true) but for a fresh connection.
  const answers = await tx.unsafe<{ reached?: number[] }[][]>(`
    ${context.workspace === null ? "reset app.workspace_id" : `set local app.workspace_id = ${literal(context.workspace)}`};
    set local app.tenant_uid = ${literal(context.tenant)};
    set local role ${role};
    select app.reach(array[${statements}]::text[]) as reached;
    reset role`);
  return answers.flat().find((row) => row?.reached !== undefined)?.reached ?? [];
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
