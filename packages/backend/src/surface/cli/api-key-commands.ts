import {
  DEFAULT_SCOPES,
  EXPLICIT_SCOPES,
  ROLES,
  SCOPES,
  type CreateApiKey,
  type Role,
  type RotateApiKey,
  type Scope,
} from "@patchbay/shared";
import { InvalidArgumentError, Option, type Command } from "commander";

export interface ApiKeyCommands {
  createApiKey(workspace: string, input: CreateApiKey): Promise<void>;
  listApiKeys(workspace: string): Promise<void>;
  rotateApiKey(workspace: string, key: string, input: RotateApiKey): Promise<void>;
  revokeApiKey(workspace: string, key: string, options: { readonly previousOnly: boolean }): Promise<void>;
}

export function addApiKeyCommands(program: Command, commands: ApiKeyCommands): void {
  const keys = program.command("api-keys").description("keys for a workspace's backend");
  keys
    .command("create")
    .description("make an API key and print it once")
    .requiredOption("--workspace <ws_…>")
    .option("--name <name>", "what the key is for", "default")
    .option(
      "--scope <scope...>",
      `what it may do; default: ${DEFAULT_SCOPES.join(", ")}; only when named: ${EXPLICIT_SCOPES.join(", ")}`,
      collectScope,
    )
    .addOption(new Option("--role <role>", "the scopes of a role instead").choices(ROLES).conflicts("scope"))
    .option("--network <network...>", "addresses or networks that it may be used from; default: anywhere")
    .option("--expires-at <time>", "such as 2027-01-01T00:00:00Z; default: never")
    .action(
      (options: {
        workspace: string;
        name: string;
        scope?: Scope[];
        role?: Role;
        network?: string[];
        expiresAt?: string;
      }) =>
        commands.createApiKey(options.workspace, {
          name: options.name,
          scopes: options.scope,
          role: options.role,
          allowedNetworks: options.network,
          expiresAt: options.expiresAt,
        }),
    );
  keys
    .command("list", { isDefault: true })
    .description("list API keys, newest first")
    .requiredOption("--workspace <ws_…>")
    .action((options: { workspace: string }) => commands.listApiKeys(options.workspace));
  keys
    .command("rotate")
    .description("give a key a new secret and print it once; the former one stays good for a while")
    .argument("<key_…>")
    .requiredOption("--workspace <ws_…>")
    .option("--overlap-hours <hours>", "0 to 720", parseHours, 24)
    .action((key: string, options: { workspace: string; overlapHours: number }) =>
      commands.rotateApiKey(options.workspace, key, { overlapHours: options.overlapHours }),
    );
  keys
    .command("revoke")
    .description("revoke a key, at once and for good")
    .argument("<key_…>")
    .requiredOption("--workspace <ws_…>")
    .option("--previous", "only the secret before the last rotation", false)
    .action((key: string, options: { workspace: string; previous: boolean }) =>
      commands.revokeApiKey(options.workspace, key, { previousOnly: options.previous }),
    );
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (text.trim() === "" || !(hours >= 0 && hours <= 720)) throw new InvalidArgumentError("say 0 to 720 hours");
  return hours;
}

function collectScope(text: string, before: Scope[] | undefined): Scope[] {
  const scope = SCOPES.find((known) => known === text);
  if (scope === undefined) throw new InvalidArgumentError(`no such scope; there are ${SCOPES.join(", ")}`);
  return [...(before ?? []), scope];
}
