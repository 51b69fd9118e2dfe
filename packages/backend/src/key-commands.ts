import { decodeId, encodeId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import type { Config } from "./config.ts";
import { createAudit } from "./domain/audit/index.ts";
import {
  GRACE_MS,
  VaultKeyError,
  addLocalKey,
  checkKeys,
  countWrapped,
  createKeyHealth,
  createVault,
  kekName,
  keyStatus,
  openKeys,
  promoteLocalKey,
  removeLocalKey,
  rotateKek,
  startRotation,
  unopened,
  workRotations,
  type KekId,
  type Keys,
  type KeyStatus,
  type RotationDeps,
  type RotationKind,
} from "./domain/vault/index.ts";
import { listWorkspaceIds, tenantRef } from "./domain/workspaces/index.ts";
import type { Database } from "./platform/db/index.ts";
import { systemClock } from "./platform/runtime/index.ts";
import { createRotationJournal } from "./rotation-journal.ts";
import { SEALED_COLUMNS } from "./sealed-columns.ts";
import { PatchbayStartError } from "./start-error.ts";
import type { KeyCommands, RotateOptions } from "./surface/cli/index.ts";

interface Terminal {
  readonly withDatabase: (work: (database: Database, config: Config) => Promise<void>) => Promise<void>;
  readonly config: () => Config;
  readonly print: (line: string) => void;
}

/** Between two lines of progress. */
const PROGRESS_MS = 1_000;

/** `patchbay keys …`, but for `create`. */
export function bindKeyCommands({ withDatabase, config, print }: Terminal): KeyCommands {
  /** Nothing is done with keys that are not those of this database. */
  const withKeys = (work: (deps: RotationDeps) => Promise<void>) =>
    withDatabase(async (database, settings) => {
      const deps = rotationDeps(database, await openKeys(settings.keys));
      await checkKeys(deps);
      await work(deps);
    });
  return {
    showKeys: () =>
      withKeys(async (deps) => {
        describeKeys(await keyStatus(deps)).forEach((line) => print(line));
        const health = await createKeyHealth(deps)();
        print(
          `Asked just now: ${Object.entries(health)
            .map(([id, state]) => `${id} ${state}`)
            .join(", ")}`,
        );
      }),
    async addKey(options) {
      const { keyFile } = localSettings(config());
      const version = await addLocalKey(keyFile, options);
      print(`Added version ${version} to ${keyFile}. Copy the file to where you keep it safe.`);
      print(
        options.primary
          ? "Restart every process with this file, then run: patchbay keys rotate"
          : `Restart every process with this file, then run: patchbay keys promote ${version}`,
      );
    },
    async promoteKey(version) {
      const { keyFile } = localSettings(config());
      await promoteLocalKey(keyFile, version);
      print(`Version ${version} wraps new keys from the next start on. Restart every process with this file,`);
      print("then run: patchbay keys rotate");
    },
    retireKey: (version) =>
      withKeys(async (deps) => {
        const { keyFile } = localSettings(config());
        const kek = { provider: "local", version } as const;
        await refuseWhileNeeded(deps, kek);
        await removeLocalKey(keyFile, version);
        print(`Took version ${version} out of ${keyFile}. Keep a copy of it as long as you keep backups of the`);
        print("database from before the rotation: they cannot be opened without it.");
      }),
    rotateKeys: (options) =>
      withKeys(async (deps) => {
        if (options.data || options.workspaceKeys) await rotateInside(deps, options, print);
        else await rotateOutside(deps, print);
      }),
  };
}

/** What is done here is entered as the operator's. */
function rotationDeps(database: Database, keys: Keys): RotationDeps {
  const { withWorkspace } = database.as("patchbay_app");
  const clock = systemClock;
  const audit = createAudit({ withWorkspace, clock, vault: createVault({ withWorkspace, keys, clock }) });
  const journal = createRotationJournal(audit, { kind: "operator", id: null });
  return { database: database.as("patchbay_worker"), keys, clock, columns: SEALED_COLUMNS, journal };
}

/** The key-encryption key: every workspace's key is wrapped anew. */
async function rotateOutside(deps: RotationDeps, print: Terminal["print"]): Promise<void> {
  const progress = everySecond(print);
  const result = await rotateKek(deps, ({ done, total }) =>
    progress(`${done} of ${amount(total, "workspace key")} wrapped anew`),
  );
  print(
    result.renewed === 0
      ? `Nothing to wrap anew: "${kekName(result.primary)}" wraps all.`
      : `${amount(result.renewed, "workspace key")} wrapped anew with "${kekName(result.primary)}".`,
  );
  for (const id of result.damaged) print(`The wrapping of workspace key ${id} is damaged: restore it from a backup.`);
  for (const kek of result.retirable) print(`"${kekName(kek)}" wraps nothing. ${whatToDoWith(kek)}`);
  if (result.damaged.length > 0) throw new PatchbayStartError("Not every key could be wrapped anew.");
}

function whatToDoWith({ provider, version }: KekId): string {
  return provider === "local"
    ? `An old one: patchbay keys retire ${version}. One just added: patchbay keys promote ${version}`
    : "An old one: take it out of the settings, then disable it at the service.";
}

/** Keys inside the database: new ones, and what the old ones sealed or wrapped is renewed. */
async function rotateInside(deps: RotationDeps, options: RotateOptions, print: Terminal["print"]): Promise<void> {
  const kinds: RotationKind[] = [
    ...(options.data ? (["data"] as const) : []),
    ...(options.workspaceKeys ? (["workspace_key"] as const) : []),
  ];
  const tenantUid = await tenantOf(deps, options);
  const progress = everySecond(print);
  let retired = 0;
  for (const workspaceId of await workspacesOf(deps, options)) {
    const name = encodeId("ws", workspaceId);
    let old = 0;
    for (const kind of kinds) {
      const only = kind === "data" && tenantUid !== null ? { tenantUid } : {};
      old += await startRotation(deps, { workspaceId, kind, ...only });
    }
    const renewed = await workThrough(deps, workspaceId, (values) => progress(`${name}: ${values} renewed`));
    print(`${name}: ${amount(old, "key")} made old, ${renewed} renewed`);
    retired += old;
  }
  print(`${amount(retired, "key")} made old, good only for opening. What stood under old keys has been sealed anew.`);
  print(
    `A running worker looks again in ${GRACE_MS / 60_000} minutes, when no process can hold an old key any longer,`,
  );
  print("and destroys each that nothing needs: see `patchbay keys status`.");
}

/** @returns what the workspace's open rotations have renewed so far, in words */
async function workThrough(
  deps: RotationDeps,
  workspaceId: WorkspaceId,
  onStep: (renewed: string) => void,
): Promise<string> {
  const renewed = new Map<string, number>();
  const inWords = () =>
    amount(
      [...renewed.values()].reduce((sum, values) => sum + values, 0),
      "value",
    );
  let more = true;
  while (more) {
    ({ more } = await workRotations(deps, workspaceId, (rotation) => {
      renewed.set(rotation.id, rotation.renewed);
      onStep(inWords());
    }));
  }
  return inWords();
}

async function refuseWhileNeeded(deps: RotationDeps, kek: { readonly provider: "local"; readonly version: string }) {
  const rows = await countWrapped(deps, kek);
  if (rows > 0) {
    throw new VaultKeyError(
      `Version ${kek.version} wraps ${amount(rows, "workspace key")}; first: patchbay keys rotate`,
    );
  }
  const { nodes } = await keyStatus(deps);
  const wrapping = nodes.find((node) => node.versions[0] === kekName(kek));
  if (wrapping === undefined) return;
  throw new VaultKeyError(
    `The process ${wrapping.id} still wraps new keys with version ${kek.version}; restart it first.`,
  );
}

function localSettings(config: Config): Config {
  if (config.keys.providers.some((provider) => provider.id === "local")) return config;
  throw new PatchbayStartError("No key file is in use here; versions of a key service are made and removed there.");
}

async function workspacesOf(deps: RotationDeps, options: RotateOptions): Promise<readonly WorkspaceId[]> {
  if (options.workspace === null) return listWorkspaceIds(deps.database.withQueue);
  const id = decodeId("ws", options.workspace);
  if (id === null) throw new PatchbayStartError(`${options.workspace} is no workspace id`);
  return [id];
}

async function tenantOf(deps: RotationDeps, options: RotateOptions): Promise<TenantUid | null> {
  if (options.tenant === null) return null;
  const [workspaceId] = await workspacesOf(deps, options);
  if (options.workspace === null || workspaceId === undefined) {
    throw new PatchbayStartError("--tenant needs --workspace");
  }
  const { tenant: id } = options;
  return (await deps.database.withWorkspace(workspaceId, (tx) => tenantRef(tx, { workspaceId, id }))).uid;
}

function describeKeys(status: KeyStatus): readonly string[] {
  const { dataKeys, workspaceKeys } = status;
  return [
    "The keys fit this database.",
    ...status.versions.map(
      ({ provider, version, primary, configured, rows }) =>
        `  ${provider} ${version}: ${amount(rows, "workspace key")}${primary ? ", wraps new ones" : ""}${configured ? "" : ", NOT CONFIGURED"}`,
    ),
    status.pending === 0 ? "Nothing to wrap anew." : `${status.pending} to wrap anew: patchbay keys rotate`,
    `Workspace keys: ${workspaceKeys.active} active, ${workspaceKeys.decrypt_only} old, ${workspaceKeys.destroyed} destroyed`,
    `Data keys: ${dataKeys.active} active, ${dataKeys.decrypt_only} old, ${dataKeys.destroyed} destroyed`,
    ...status.nodes.map((node) => `Process ${node.id} holds ${node.versions.join(", ")}`),
    ...status.rotations.map(
      (rotation) =>
        `Rotation of ${rotation.kind === "data" ? "data" : "workspace"} keys of ${encodeId("ws", rotation.workspaceId)}: ` +
        `pass ${rotation.pass}, ${rotation.renewed} renewed, ` +
        (unopened(rotation) === 0 ? "" : `${unopened(rotation)} CANNOT BE OPENED, `) +
        (rotation.nextPassAt === null ? "running" : `looks again at ${rotation.nextPassAt.toISOString()}`),
    ),
  ];
}

function amount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function everySecond(print: Terminal["print"]): (line: string) => void {
  let last = 0;
  return (line) => {
    if (performance.now() - last < PROGRESS_MS) return;
    last = performance.now();
    print(line);
  };
}
