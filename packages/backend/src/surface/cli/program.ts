import type { CreateWorkspace } from "@patchbay/shared";
import { Command, InvalidArgumentError, Option } from "commander";
import { addApiKeyCommands, type ApiKeyCommands } from "./api-key-commands.ts";
import { addAuditCommands, type AuditCommands } from "./audit-commands.ts";
import { addBackupCommands, type BackupCommands } from "./backup-commands.ts";
import { addInboxCommands, type InboxCommands } from "./inbox-commands.ts";

/** What to renew; neither `data` nor `workspaceKeys`: what the key-encryption key wraps. */
export interface RotateOptions {
  readonly data: boolean;
  readonly workspaceKeys: boolean;
  readonly workspace: string | null;
  /** The host's own id. */
  readonly tenant: string | null;
}

export interface KeyCommands {
  showKeys(): Promise<void>;
  addKey(options: { readonly version?: string; readonly primary: boolean }): Promise<void>;
  promoteKey(version: string): Promise<void>;
  retireKey(version: string): Promise<void>;
  rotateKeys(options: RotateOptions): Promise<void>;
}

/** What the commands do; `main.ts` binds them to the composed product. */
export interface Commands extends ApiKeyCommands, AuditCommands, BackupCommands, InboxCommands, KeyCommands {
  serve(roles: { readonly api: boolean; readonly worker: boolean }): Promise<void>;
  migrate(): Promise<void>;
  createKeyFile(): Promise<void>;
  createWorkspace(input: CreateWorkspace): Promise<void>;
  listWorkspaces(): Promise<void>;
  createTenant(workspaceId: string, id: string, name: string | null): Promise<void>;
  listTenants(workspaceId: string): Promise<void>;
  listen(input: {
    readonly forwardUrl: string;
    readonly apiKey: string;
    readonly baseUrl: string | null;
    readonly secret: string | null;
  }): Promise<void>;
}

/** The command line of operators and host developers. */
export function createProgram(commands: Commands): Command {
  const program = new Command("patchbay")
    .description("Patchbay connects your customers' accounts at other providers to your product.")
    .showHelpAfterError("Run with --help to see what is possible.");

  program
    .command("serve")
    .description("run API and worker in one process")
    .action(() => commands.serve({ api: true, worker: true }));
  program
    .command("api")
    .description("run the API only")
    .action(() => commands.serve({ api: true, worker: false }));
  program
    .command("worker")
    .description("run the worker only: syncs, webhooks, deliveries")
    .action(() => commands.serve({ api: false, worker: true }));
  program
    .command("migrate")
    .description("bring the database to this version, roles included")
    .action(() => commands.migrate());

  addKeyCommands(program, commands);

  const workspaces = program.command("workspaces").description("environments of SaaS products");
  workspaces
    .command("create")
    .description("make a workspace")
    .requiredOption("--name <name>", "the product's name, as its customers know it")
    .option("--mode <mode>", "live or test", parseMode, "test")
    .option("--return-url <url...>", "pages that redirect mode may return to")
    .action((options: { name: string; mode: "live" | "test"; returnUrl?: string[] }) =>
      commands.createWorkspace({ name: options.name, mode: options.mode, returnUrls: options.returnUrl ?? [] }),
    );
  workspaces
    .command("list", { isDefault: true })
    .description("list workspaces")
    .action(() => commands.listWorkspaces());

  const tenants = program.command("tenants").description("customers of a workspace");
  tenants
    .command("create")
    .description("make a tenant or change its name")
    .argument("<id>", "your own id of the customer")
    .requiredOption("--workspace <ws_…>")
    .option("--name <name>")
    .action((id: string, options: { workspace: string; name?: string }) =>
      commands.createTenant(options.workspace, id, options.name ?? null),
    );
  tenants
    .command("list", { isDefault: true })
    .description("list tenants")
    .requiredOption("--workspace <ws_…>")
    .action((options: { workspace: string }) => commands.listTenants(options.workspace));

  addApiKeyCommands(program, commands);
  addInboxCommands(program, commands);
  addAuditCommands(program, commands);
  addBackupCommands(program, commands);

  program
    .command("listen")
    .description("bring events from the feed to a local handler, signed as deliveries are")
    .requiredOption("--forward <url>", "your handler, such as http://localhost:3000/webhooks/patchbay")
    .addOption(new Option("--api-key <key>", "a key of the workspace").env("PATCHBAY_API_KEY").makeOptionMandatory())
    .option("--url <url>", "where Patchbay runs; default: this installation")
    .option("--secret <whsec_…>", "sign with this secret; default: a new one, printed")
    .action((options: { forward: string; apiKey: string; url?: string; secret?: string }) =>
      commands.listen({
        forwardUrl: options.forward,
        apiKey: options.apiKey,
        baseUrl: options.url ?? null,
        secret: options.secret ?? null,
      }),
    );
  return program;
}

function addKeyCommands(program: Command, commands: Commands): void {
  const keys = program.command("keys").description("keys that wrap the vault's keys");
  keys
    .command("create")
    .description("make a key file, once, readable by this user only")
    .action(() => commands.createKeyFile());
  keys
    .command("status", { isDefault: true })
    .description("check the keys against the database; what they wrap, what may be retired, rotations under way")
    .action(() => commands.showKeys());
  keys
    .command("add")
    .description("add a new key to the key file")
    .option("--version <name>", "default: the next number")
    .option("--primary", "let it wrap new keys from the next start on", false)
    .action((options: { version?: string; primary: boolean }) => commands.addKey(options));
  keys
    .command("promote")
    .description("let a key of the file wrap new keys from the next start on")
    .argument("<version>")
    .action((version: string) => commands.promoteKey(version));
  keys
    .command("rotate")
    .description("wrap all that older keys wrap with the newest; or renew the keys inside the database")
    .option("--data", "new data keys, and everything sealed anew with them", false)
    .option("--workspace-keys", "new workspace keys, and the data keys wrapped anew with them", false)
    .option("--workspace <ws_…>", "with --data or --workspace-keys: of this workspace alone")
    .option("--tenant <id>", "with --data: of this tenant alone")
    .action(
      (options: { data: boolean; workspaceKeys: boolean; workspace?: string; tenant?: string }, command: Command) => {
        const { data, workspaceKeys, workspace = null, tenant = null } = options;
        if ((workspace !== null && !data && !workspaceKeys) || (tenant !== null && !data)) {
          command.error("--workspace is for --data and --workspace-keys, --tenant for --data");
        }
        return commands.rotateKeys({ data, workspaceKeys, workspace, tenant });
      },
    );
  keys
    .command("retire")
    .description("take a key that nothing needs out of the key file")
    .argument("<version>")
    .action((version: string) => commands.retireKey(version));
}

function parseMode(text: string): "live" | "test" {
  if (text !== "live" && text !== "test") throw new InvalidArgumentError("say live or test");
  return text;
}
