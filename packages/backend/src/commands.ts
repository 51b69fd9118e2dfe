import { AppError, ReplayInboxRequest, decodeId, type ApiKeyId, type WorkspaceId } from "@patchbay/shared";
import { exportCheckpoints, exportLog, verifyExportedLog, verifyLogs } from "./audit-commands.ts";
import { bindBackupCommands } from "./backup-commands.ts";
import { parseConfig, type Config } from "./config.ts";
import { borrowDatabase } from "./connect-database.ts";
import { createLocalKeyFile } from "./domain/vault/index.ts";
import { getWorkspace, listApiKeys, listTenants, listWorkspaceIds, toWorkspace } from "./domain/workspaces/index.ts";
import { createOperatorActs, type OperatorActs } from "./operator-acts.ts";
import { beginReplay, showInbox, showReplayPreview, showReplays } from "./inbox-commands.ts";
import { bindKeyCommands } from "./key-commands.ts";
import { openKeyed, type Keyed } from "./open-keyed.ts";
import { createOperatorToken } from "./operator-token.ts";
import { startPatchbay } from "./patchbay.ts";
import type { Database } from "./platform/db/index.ts";
import { createLogger } from "./platform/observability/index.ts";
import { systemClock } from "./platform/runtime/index.ts";
import { PatchbayStartError } from "./start-error.ts";
import { runListen, type Commands } from "./surface/cli/index.ts";

const SHOWN_MAX = 100;

/** What each command does, on this machine with these settings. */
export function bindCommands(process_: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Takes the answers, a line at a time; default: the standard output. */
  readonly print?: (line: string) => void;
}): Commands {
  const print = process_.print ?? printLine;
  const config = () => parseConfig(process_.env, process_.cwd);
  /** A single command prints its answer and troubles, not its progress. */
  const quietConfig = () => parseConfig({ PATCHBAY_LOG_LEVEL: "warn", ...process_.env }, process_.cwd);
  const withDatabase = (work: (database: Database, config: Config) => Promise<void>) =>
    useDatabase(quietConfig(), work);
  const withKeys = (work: (keyed: Keyed, database: Database) => Promise<void>) =>
    withDatabase(async (database, settings) => work(await openKeyed(database, settings, print), database));
  const inboxDeps = (database: Database) => ({ app: database.as("patchbay_app"), clock: systemClock, print });
  const withOperator = (work: (operator: OperatorActs) => Promise<void>) =>
    withKeys((keyed) => work(createOperatorActs(keyed)));
  return {
    async serve(roles) {
      const patchbay = await startPatchbay({ config: config(), roles });
      print(roles.api ? `Patchbay is ready at ${patchbay.url}` : "Patchbay's worker is running");
      await untilSignal();
      await patchbay.close();
    },
    migrate: () =>
      withDatabase(async (_, { database }) => print(`${database?.database ?? "The embedded database"} is up to date`)),
    async createKeyFile() {
      const { keyFile, operatorTokenFile } = config();
      const made = await createLocalKeyFile(keyFile);
      await createOperatorToken(operatorTokenFile);
      print(
        made === "created"
          ? `Made ${keyFile}. Keep a copy apart from the database's backups.`
          : `${keyFile} is there already.`,
      );
    },
    ...bindKeyCommands({ withDatabase, config, print }),
    ...bindBackupCommands({ withKeys, config: quietConfig, print }),
    createWorkspace: (input) => withOperator(async (operator) => print(json(await operator.createWorkspace(input)))),
    listWorkspaces: () =>
      withDatabase(async (database) => {
        for (const id of await listWorkspaceIds(database.as("patchbay_worker").withQueue)) {
          print(json(toWorkspace(await getWorkspace(appDeps(database), id))));
        }
      }),
    createApiKey: (workspace, input) =>
      withOperator(async (operator) => print(json(await operator.createApiKey(workspaceIdOf(workspace), input)))),
    listApiKeys: (workspace) =>
      withDatabase(async (database) => {
        const page = await listApiKeys(appDeps(database), { workspaceId: workspaceIdOf(workspace), limit: SHOWN_MAX });
        for (const key of page.data) print(json(key));
        if (page.hasMore) print(`… the newest ${SHOWN_MAX}; GET /v1/api-keys lists all`);
      }),
    rotateApiKey: (workspace, key, input) =>
      withOperator(async (operator) =>
        print(json(await operator.rotateApiKey(workspaceIdOf(workspace), keyIdOf(key), input))),
      ),
    revokeApiKey: (workspace, key, { previousOnly }) =>
      withOperator(async (operator) => {
        const of = [workspaceIdOf(workspace), keyIdOf(key)] as const;
        print(json(await (previousOnly ? operator.revokePreviousSecret(...of) : operator.revokeApiKey(...of))));
      }),
    createTenant: (workspace, id, name) =>
      withOperator(async (operator) => print(json(await operator.putTenant(workspaceIdOf(workspace), id, { name })))),
    listTenants: (workspace) =>
      withDatabase(async (database) => {
        const workspaceId = workspaceIdOf(workspace);
        const page = await listTenants(appDeps(database), { workspaceId, limit: SHOWN_MAX });
        for (const tenant of page.data) print(json(tenant));
        if (page.hasMore) print(`… the first ${SHOWN_MAX}; GET /v1/tenants lists all`);
      }),
    listInbox: (workspace, filter) =>
      withDatabase((database) => showInbox(inboxDeps(database), workspaceIdOf(workspace), filter)),
    async replayInbox(workspace, selection, ratePerSecond) {
      const id = workspaceIdOf(workspace);
      const { error } = ReplayInboxRequest.safeParse(selection);
      if (error !== undefined) throw new PatchbayStartError(error.issues.map(({ message }) => message).join("; "));
      if (ratePerSecond === null) {
        return withDatabase((database) => showReplayPreview(inboxDeps(database), id, selection));
      }
      return withKeys((keyed, database) =>
        beginReplay({ ...keyed, ...inboxDeps(database) }, id, selection, ratePerSecond),
      );
    },
    listReplays: (workspace) => withDatabase((database) => showReplays(inboxDeps(database), workspaceIdOf(workspace))),
    verifyAudit: (input) =>
      input.logFile === null
        ? withKeys(async (keyed, database) => {
            const all = () => listWorkspaceIds(database.as("patchbay_worker").withQueue);
            const ids = input.workspace === null ? await all() : [workspaceIdOf(input.workspace)];
            await verifyLogs(keyed, ids, input.checkpointFile);
          })
        : verifyExportedLog(print, { ...input, logFile: input.logFile }),
    exportAudit: (workspace, outFile) => withKeys((keyed) => exportLog(keyed, workspaceIdOf(workspace), outFile)),
    exportCheckpoints: (workspace) => withKeys((keyed) => exportCheckpoints(keyed, workspaceIdOf(workspace))),
    async listen({ forwardUrl, apiKey, baseUrl, secret }) {
      const stop = new AbortController();
      void untilSignal().then(() => stop.abort());
      await runListen({
        baseUrl: baseUrl ?? config().publicUrl,
        apiKey,
        forwardUrl,
        ...(secret === null ? {} : { secret }),
        print,
        signal: stop.signal,
      });
    },
  };
}

async function useDatabase(config: Config, work: (database: Database, config: Config) => Promise<void>): Promise<void> {
  const { database, close } = await borrowDatabase(config, createLogger(config.logLevel, process.stderr));
  try {
    await work(database, config);
  } catch (error) {
    throw error instanceof AppError ? new PatchbayStartError(error.message, { cause: error }) : error;
  } finally {
    await close();
  }
}

function appDeps(database: Database) {
  return { withWorkspace: database.as("patchbay_app").withWorkspace, clock: systemClock };
}

function workspaceIdOf(text: string): WorkspaceId {
  const id = decodeId("ws", text);
  if (id === null) throw new PatchbayStartError(`${text} is no workspace id; \`patchbay workspaces list\` shows them`);
  return id;
}

function keyIdOf(text: string): ApiKeyId {
  const id = decodeId("key", text);
  if (id === null) throw new PatchbayStartError(`${text} is no API key's id; \`patchbay api-keys list\` shows them`);
  return id;
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
