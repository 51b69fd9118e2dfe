import { encodeId, REPEATED_ERASURES_MAX, RepeatedErasures, type WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";
import { notWritten, openSource, openTarget } from "./backup-files.ts";
import type { Config } from "./config.ts";
import { reachDatabase } from "./connect-database.ts";
import { connectors } from "./connectors/index.ts";
import { describeBackup, describeRestore } from "./describe-restore.ts";
import { checkCanaries, keyStatus, makeBackupKey, openBackupKey, openKeys } from "./domain/vault/index.ts";
import { listWorkspaceIds } from "./domain/workspaces/index.ts";
import { openKeyed, type Keyed } from "./open-keyed.ts";
import { readOperatorToken } from "./operator-token.ts";
import {
  loadBackup,
  openBackup,
  writeBackup,
  type OpenBackupKey,
  type OpenedBackup,
} from "./platform/db/backup/index.ts";
import { openDatabase, type Database, type RoleDatabase } from "./platform/db/index.ts";
import { createLogger } from "./platform/observability/index.ts";
import { VERSION } from "./platform/runtime/index.ts";
import { listErasures } from "./products/erasure/index.ts";
import { confirmRestore, finishRestore, restoreStatus } from "./products/restore/index.ts";
import { PatchbayStartError } from "./start-error.ts";
import type { BackupCommands } from "./surface/cli/index.ts";

interface Terminal {
  readonly withKeys: (work: (keyed: Keyed, database: Database) => Promise<void>) => Promise<void>;
  readonly config: () => Config;
  readonly print: (line: string) => void;
}

/** `patchbay backup`, `patchbay restore …`, `patchbay erasures …`. */
export function bindBackupCommands({ withKeys, config, print }: Terminal): BackupCommands {
  const show = async ({ worker }: Pick<Keyed, "worker">) =>
    describeRestore(await restoreStatus({ worker, connectors: CONNECTORS })).forEach((line) => print(line));
  return {
    backup: (out) => backup(config(), out, out === "-" ? (line) => process.stderr.write(`${line}\n`) : print),
    async restore(from, { dryRun }) {
      const settings = config();
      const opened = await openBackup(await openSource(from), await keyOpener(settings));
      if (dryRun) return describeBackup(opened.header, await readWhole(opened)).forEach((line) => print(line));
      await restore(settings, opened, print);
    },
    holdAfterRestore: (backupTakenAt) =>
      withKeys(async (keyed, database) => {
        const { nodes } = await keyStatus({ ...keyed, database: keyed.worker });
        if (nodes.length > 0) throw new PatchbayStartError("Patchbay is running on this database; stop it first.");
        const asOwner = database.as("patchbay_owner").withQueue;
        await finishRestore({ ...keyed, asOwner }, { backupTakenAt, backupId: null });
        await show(keyed);
      }),
    showRestore: () => withKeys(show),
    confirmRestore: () =>
      withKeys(async (keyed) => {
        if (!(await confirmRestore(keyed))) throw new PatchbayStartError("No restore waits for confirmation.");
        print("Confirmed. Running processes go on within a second.");
      }),
    repeatErasures: (listFile) => repeatErasures(config(), listFile, print),
    exportErasures: (outFile) =>
      withKeys(async (keyed, database) => {
        const lines: string[] = [];
        for (const workspaceId of await listWorkspaceIds(keyed.worker.withQueue)) {
          for await (const line of erasuresOf(database.as("patchbay_app"), workspaceId)) lines.push(line);
        }
        if (outFile === null) return lines.forEach((line) => print(line));
        await writeFile(`${outFile}.partial`, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
        await rename(`${outFile}.partial`, outFile);
      }),
  };
}

const CONNECTORS = Object.fromEntries(connectors.map((connector) => [connector.id, connector]));
const CONNECTIONS_MAX = 4;
const PAGE = 100;
const CALL_MS_MAX = 120_000;

async function backup(config: Config, out: string, print: Terminal["print"]): Promise<void> {
  const keys = await openKeys(config.keys);
  const { connection, close } = await reachDatabase(config, loggerOf(config), { borrow: true });
  try {
    await withPool(connection, async (database) => {
      await checkCanaries({ database: database.as("patchbay_worker"), keys });
      const target = await openTarget(out, new Date());
      try {
        const id = randomUUID();
        const { key: macKey, held } = await makeBackupKey(keys, id);
        const key = { ...held, wrapped: Buffer.from(held.wrapped).toString("base64") };
        const header = { id, patchbay: VERSION, key };
        const saved = await writeBackup({ connection, out: target.out, header, macKey });
        await target.keep();
        print(`Saved to ${target.name}`);
        describeBackup(saved.header, saved.tables).forEach((line) => print(line));
      } catch (error) {
        await target.discard();
        throw notWritten(target, error);
      }
    });
  } finally {
    await close();
  }
}

async function restore(config: Config, opened: OpenedBackup, print: Terminal["print"]): Promise<void> {
  const log = loggerOf(config);
  const { admin, connection, close } = await reachDatabase(config, log, { borrow: false });
  try {
    const { header, tables } = await loadBackup({ connection: admin, loginPassword: connection.password, log }, opened);
    await withPool(connection, async (database) => {
      const keyed = await openKeyed(database, config, print);
      const asOwner = database.as("patchbay_owner").withQueue;
      const backupTakenAt = new Date(header.takenAt);
      await finishRestore({ ...keyed, asOwner }, { backupTakenAt, backupId: header.id });
      describeBackup(header, tables).forEach((line) => print(line));
      const status = await restoreStatus({ ...keyed, connectors: CONNECTORS });
      describeRestore(status).forEach((line) => print(line));
    });
  } finally {
    await close();
  }
}

/** Keys first: with the wrong ones nothing is begun. */
async function keyOpener(config: Config): Promise<OpenBackupKey> {
  const keys = await openKeys(config.keys);
  return (id, held) => openBackupKey(keys, id, { ...held, wrapped: Buffer.from(held.wrapped, "base64") });
}

async function readWhole(opened: OpenedBackup) {
  for await (const { rows } of opened.parts()) {
    const left = rows[Symbol.asyncIterator]();
    while ((await left.next()).done !== true);
  }
  return opened.verify();
}

async function* erasuresOf(app: RoleDatabase, workspaceId: WorkspaceId): AsyncGenerator<string, void> {
  let cursor: string | undefined;
  do {
    const page = await listErasures({ app }, { workspaceId, limit: PAGE, cursor });
    for (const { id, tenantRef, requestedAt } of page.data) {
      yield JSON.stringify({ workspaceId: encodeId("ws", workspaceId), id, tenantRef, requestedAt });
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

const ListedErasure = z.looseObject({ tenantRef: z.string() });

async function repeatErasures(config: Config, listFile: string, print: Terminal["print"]): Promise<void> {
  const token = await readOperatorToken(config.operatorTokenFile);
  const tenantRefs = await readList(listFile);
  let erased = 0;
  for (let from = 0; from < tenantRefs.length; from += REPEATED_ERASURES_MAX) {
    const response = await fetch(`${config.publicUrl}/admin/v1/restore/erasures`, {
      method: "POST",
      headers: { authorization: `Bearer ${token.reveal()}`, "content-type": "application/json" },
      body: JSON.stringify({ tenantRefs: tenantRefs.slice(from, from + REPEATED_ERASURES_MAX) }),
      signal: AbortSignal.timeout(CALL_MS_MAX),
    }).catch((error: unknown) => {
      throw new PatchbayStartError(`${config.publicUrl} gave no answer; start Patchbay first, it is held.`, {
        cause: error,
      });
    });
    if (!response.ok) throw new PatchbayStartError(`${config.publicUrl} answered ${response.status}.`);
    const { data } = RepeatedErasures.parse(await response.json());
    erased += data.filter(({ result }) => result === "erased").length;
  }
  print(`${tenantRefs.length} listed, ${erased} were in the backup and are erased again.`);
}

async function readList(file: string): Promise<readonly string[]> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new PatchbayStartError(`${file} cannot be read`);
  });
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line, at) => {
      const parsed = ListedErasure.safeParse(parseJson(line));
      if (!parsed.success) throw new PatchbayStartError(`${file}:${at + 1} is no erasure; it needs a tenantRef`);
      return parsed.data.tenantRef;
    });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function withPool(
  connection: Parameters<typeof openDatabase>[0],
  work: (database: Database) => Promise<void>,
): Promise<void> {
  const database = openDatabase(connection, CONNECTIONS_MAX);
  try {
    await work(database);
  } finally {
    await database.close();
  }
}

function loggerOf(config: Config) {
  return createLogger(config.logLevel, process.stderr);
}
