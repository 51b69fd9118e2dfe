import { createSecretKey, randomBytes, randomUUID } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from "../../../../../../test/harness/database.ts";
import { tableHashes } from "../../../../../../test/harness/table-hashes.ts";
import { silentLogger } from "../../observability/index.ts";
import { connect } from "../database.ts";
import { findIsolationProblems, openDatabase } from "../index.ts";
import { becomeOwner, knownMigrations, migrate, migrateUpTo } from "../migrate.ts";
import { aSide, insertOf, workspaceTables } from "../testing/matrix.ts";
import { copyOut } from "./copy-out.ts";
import { BackupFileError, loadBackup, openBackup, removeMarker, writeBackup } from "./index.ts";

const LEFT_OUT = ["public.vault_nodes", "queue.restores"];
const macKey = createSecretKey(randomBytes(32));
let source: TestDatabase;
let saved: Buffer;

beforeAll(async () => {
  source = await createTestDatabase();
  await fill(source);
  saved = await save(source);
});
afterAll(() => source.drop());

describe("a backup", () => {
  test("brings every row of every table of every workspace into an empty database", async () => {
    await using target = await createEmptyDatabase();
    const { tables } = await load(target, saved);
    expect(await tableHashes(target.sql, LEFT_OUT)).toEqual(await tableHashes(source.sql, LEFT_OUT));
    expect(tables.filter(({ rows }) => rows === 0).map(({ table }) => table)).toEqual([
      "queue.arrivals",
      "queue.due",
      "queue.feed",
      "queue.items",
      "queue.lanes",
      "queue.limits",
      "queue.tenants",
      "queue.unsequenced",
    ]);
    const database = openDatabase(target.connection, 1);
    await database.as("patchbay_owner").withQueue(removeMarker);
    expect(await findIsolationProblems(database)).toEqual([]);
    await database.close();
    await migrate({ connection: target.connection, loginPassword: "", log: silentLogger });
  });

  test("misses nothing that the schema has: tables are the only things with data in them", async () => {
    const others = await source.sql`
      select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'queue', 'app') and c.relkind in ('S', 'm', 'f')`;
    expect([...others]).toEqual([]);
  });

  test("reads tables of any size to their end, however slow what it writes to", async () => {
    const client = connect(source.connection, 1);
    await client.begin(async (tx) => {
      for (let rows = 0; rows < 400; rows += 3) {
        let read = 0;
        const statement = `copy (select repeat('x', 1000) from generate_series(1, ${rows})) to stdout`;
        for await (const lines of copyOut(tx, statement)) {
          read += lines.length;
          await setImmediate();
        }
        expect(read).toBe(rows);
      }
    });
    await client.end();
  });

  test("shows one instant, however much is written meanwhile", async () => {
    await using busy = await createTestDatabase();
    await busy.sql`create table public.log (a int primary key, b int references public.log (a))`;
    await busy.sql`alter table public.log owner to patchbay_owner`;
    await busy.sql`grant select on public.log to patchbay_worker`;
    const stop = new AbortController();
    // Each transaction adds a row to a first and to a last table: a backup holds as many of one as of the other.
    const writing = (async () => {
      for (let at = 1; !stop.signal.aborted; at++) {
        await busy.sql.begin(async (tx) => {
          await tx`insert into public.log (a) values (${at})`;
          await tx`insert into queue.unsequenced (id, workspace_id) values (${randomUUID()}, ${randomUUID()})`;
        });
      }
    })();
    const backups = [await save(busy), await save(busy), await save(busy)];
    stop.abort();
    await writing;
    for (const backup of backups) {
      const rows = rowsIn(backup);
      expect(rows.get("public.log")).toBe(rows.get("queue.unsequenced"));
    }
  });
});

describe("a restore", () => {
  test.each([
    ["half of it", () => saved.subarray(0, saved.byteLength / 2)],
    ["all but its last byte", () => saved.subarray(0, -1)],
    ["all but its last line, packed anew", () => gzipSync(withoutLastLine(gunzipSync(saved)))],
    ["one bit turned", () => flipped(saved, saved.byteLength / 2)],
    ["one letter of a row changed, packed anew", () => gzipSync(edited(gunzipSync(saved)))],
    ["something behind its end", () => gzipSync(Buffer.concat([gunzipSync(saved), Buffer.from("more\n")]))],
    ["another file", () => gzipSync("create table t (a int);\n")],
    ["a file that is not packed", () => Buffer.from("create table t (a int);\n")],
    ["an empty file", () => Buffer.alloc(0)],
  ])("backup: refuses %s and leaves the database empty", async (_, damage) => {
    await using target = await createEmptyDatabase();
    await expect(load(target, damage())).rejects.toThrow(BackupFileError);
    const left = await target.sql`
      select relname from pg_class where relnamespace = 'public'::regnamespace
      union all select nspname from pg_namespace where nspname in ('queue', 'app', 'drizzle', 'patchbay_restore')`;
    expect([...left]).toEqual([]);
  });

  test("backup: refuses one that somebody without the key made or changed", async () => {
    await using target = await createEmptyDatabase();
    await expect(load(target, saved, createSecretKey(randomBytes(32)))).rejects.toThrow("not as it was written");
  });

  test("refuses a database with a workspace, and one with tables of somebody else", async () => {
    await expect(load(source, saved)).rejects.toThrow("this one holds 3 workspaces");
    await using other = await createEmptyDatabase();
    await other.sql`create table customers (id int)`;
    await expect(load(other, saved)).rejects.toThrow("this one holds public.customers");
  });

  test("refuses a backup of a newer version", async () => {
    await using target = await createEmptyDatabase();
    const [first = "", header = "", ...rest] = gunzipSync(saved).toString().split("\n");
    const newer = JSON.parse(header) as { migrations: { createdAt: number; hash: string }[]; patchbay: string };
    newer.migrations.push({ createdAt: Date.now(), hash: "0".repeat(64) });
    newer.patchbay = "9.9.9";
    const file = gzipSync([first, JSON.stringify(newer), ...rest].join("\n"));
    await expect(load(target, file)).rejects.toThrow("made by Patchbay 9.9.9");
  });

  test("that was cut short keeps everything from starting, and can be done again", async () => {
    await using target = await createEmptyDatabase();
    const stalled = new PassThrough();
    stalled.write(saved.subarray(0, saved.byteLength / 2));
    const backup = await openBackup(stalled, async () => macKey);
    const restoring = loadBackup(optionsOf(target), backup);
    restoring.catch(() => {});
    stalled.destroy(new Error("killed"));
    await expect(restoring).rejects.toThrow("killed");
    await expect(migrate(optionsOf(target))).rejects.toThrow("a restore into it was not finished");
    await load(target, saved);
    expect(await tableHashes(target.sql, LEFT_OUT)).toEqual(await tableHashes(source.sql, LEFT_OUT));
    await expect(migrate(optionsOf(target))).rejects.toThrow("a restore into it was not finished");
  });

  test("takes a backup of an older schema through the migrations since", async () => {
    await using older = await createEmptyDatabase();
    const level = knownMigrations()[8]?.createdAt ?? 0;
    const client = connect(older.connection, 1);
    await becomeOwner(client, optionsOf(older));
    await migrateUpTo(client, level);
    // As it was done then: by the owner.
    await client.unsafe(`
      do $$ declare day date := (now() at time zone 'UTC')::date; name text := 'inbox_' || to_char(day, 'YYYYMMDD');
      begin
        execute format('create table %I partition of inbox for values from (%L) to (%L)', name, day || ' 00:00+00', day + 1 || ' 00:00+00');
        execute format('alter table %I enable row level security, force row level security', name);
      end $$`);
    await client.end();
    await fill(older);
    await using target = await createEmptyDatabase();
    const { header } = await load(target, await save(older));
    expect(header.migrations).toHaveLength(9);
    const [row] = await target.sql`select count(*)::int as count from drizzle.__drizzle_migrations`;
    expect(row).toEqual({ count: knownMigrations().length });
    const [tenants] = await target.sql`select count(*)::int as count from tenants`;
    expect(tenants).toEqual({ count: 4 });
  });
});

/** A row of three tenants in every table, and values that COPY must escape. */
async function fill(database: TestDatabase): Promise<void> {
  const first = aSide();
  const sides = [first, aSide(first.workspace), aSide(), aSide()];
  const tables = await workspaceTables(database.sql);
  await database.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    for (const side of sides) {
      for (const table of tables) await tx.unsafe(`${insertOf(table, side)} on conflict do nothing`);
      await tx`insert into queue.workspaces values (${side.workspace}, now()) on conflict do nothing`;
    }
    await tx`insert into vault_canaries values ('1', 'local', '\\x00', '\\x00', now())`;
    const odd = { "tab\t": 'line\nbreak \\. \\N "quote"', empty: "" };
    await tx`update tenants set metadata = ${tx.json(odd)}, name = ${"\\.\n\t\\N\r😀"} where uid = ${first.tenant}`;
    await tx`update workspaces set return_urls = ${["a,b", 'c"d', "e{f}\\"]}`;
  });
}

async function save(database: TestDatabase): Promise<Buffer> {
  const out = new PassThrough();
  const [file] = await Promise.all([
    buffer(out),
    writeBackup({
      connection: database.connection,
      out,
      header: { id: randomUUID(), patchbay: "0.1.0", key: { provider: "local", kekVersion: "1", wrapped: "AAAA" } },
      macKey,
    }),
  ]);
  return file;
}

async function load(database: TestDatabase, file: Uint8Array, key = macKey) {
  return loadBackup(optionsOf(database), await openBackup(Readable.from([file]), async () => key));
}

function optionsOf({ connection }: TestDatabase) {
  return { connection, loginPassword: connection.password, log: silentLogger };
}

function rowsIn(file: Buffer): Map<string, number> {
  const sums = JSON.parse(gunzipSync(file).toString().trim().split("\n").at(-2) ?? "") as {
    tables: { table: string; rows: number }[];
  };
  return new Map(sums.tables.map(({ table, rows }) => [table, rows]));
}

function withoutLastLine(text: Buffer): Buffer {
  return text.subarray(0, text.lastIndexOf("\n", text.byteLength - 2) + 1);
}

function flipped(file: Buffer, at: number): Buffer {
  const copy = Buffer.from(file);
  copy[Math.floor(at)] = (copy[Math.floor(at)] ?? 0) ^ 1;
  return copy;
}

function edited(text: Buffer): Buffer {
  return Buffer.from(text.toString().replace("quote", "quota"));
}
