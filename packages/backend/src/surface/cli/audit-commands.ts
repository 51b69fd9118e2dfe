import type { Command } from "commander";

export interface AuditCommands {
  verifyAudit(input: {
    /** `null`: all. */
    readonly workspace: string | null;
    readonly checkpointFile: string | null;
    /** An export, checked without the database; `null`: the log in the database. */
    readonly logFile: string | null;
    readonly publicKey: string | null;
  }): Promise<void>;
  exportAudit(workspace: string, outFile: string | null): Promise<void>;
  exportCheckpoints(workspace: string): Promise<void>;
}

export function addAuditCommands(program: Command, commands: AuditCommands): void {
  const audit = program.command("audit").description("what was done in a workspace, by whom");
  audit
    .command("verify", { isDefault: true })
    .description("follow the hash chains from the first entry to the last; fails when a log was changed")
    .option("--workspace <ws_…>", "default: all")
    .option("--checkpoint <file>", "checkpoints that were exported before, one a line")
    .option("--log <file>", "an exported log, checked with --checkpoint alone: no database, no secret")
    .option("--public-key <key>", "of the checkpoints, as you noted it")
    .action((options: { workspace?: string; checkpoint?: string; log?: string; publicKey?: string }) =>
      commands.verifyAudit({
        workspace: options.workspace ?? null,
        checkpointFile: options.checkpoint ?? null,
        logFile: options.log ?? null,
        publicKey: options.publicKey ?? null,
      }),
    );
  audit
    .command("export")
    .description("print a workspace's log, one entry a line")
    .requiredOption("--workspace <ws_…>")
    .option("--out <file>", "a new file; default: the standard output")
    .action((options: { workspace: string; out?: string }) =>
      commands.exportAudit(options.workspace, options.out ?? null),
    );
  audit
    .command("checkpoints")
    .description("sign how a workspace's log stands now, and print all checkpoints, one a line")
    .requiredOption("--workspace <ws_…>")
    .action((options: { workspace: string }) => commands.exportCheckpoints(options.workspace));
}
