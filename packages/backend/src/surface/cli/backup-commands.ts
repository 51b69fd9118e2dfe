import { InvalidArgumentError, type Command } from "commander";

export interface BackupCommands {
  /** @param out a new file, a folder, or `-` for the standard output */
  backup(out: string): Promise<void>;
  /** @param from a file, or `-` for the standard input */
  restore(from: string, options: { readonly dryRun: boolean }): Promise<void>;
  /** The database was brought back in time by other means. */
  holdAfterRestore(takenAt: Date): Promise<void>;
  showRestore(): Promise<void>;
  confirmRestore(): Promise<void>;
  /** Through the running product. */
  repeatErasures(listFile: string): Promise<void>;
  exportErasures(outFile: string | null): Promise<void>;
}

export function addBackupCommands(program: Command, commands: BackupCommands): void {
  program
    .command("backup")
    .description("save all data as it is at one instant, while the product runs; the keys are not in it")
    .requiredOption("--out <file>", "a new file, a folder to make one in, or - for the standard output")
    .action(({ out }: { out: string }) => commands.backup(out));

  const restore = program
    .command("restore")
    .description("load a backup into an empty database; the product then starts held until `restore confirm`")
    .option("--from <file>", "a backup, or - for the standard input")
    .option("--dry-run", "only read the backup and check it: whole, unchanged, and opened by the keys here", false)
    .action(({ from, dryRun }: { from?: string; dryRun: boolean }, command: Command) => {
      if (from === undefined) command.error("say which backup: --from <file>");
      return commands.restore(from, { dryRun });
    });
  restore
    .command("status")
    .description("whether a restore waits for confirmation, and whose tokens may be dead")
    .action(() => commands.showRestore());
  restore
    .command("confirm")
    .description("let deliveries, refreshes and syncs go on")
    .action(() => commands.confirmRestore());
  restore
    .command("erase")
    .description("erase again the tenants of a list whose erasure came after the backup; the product must run")
    .requiredOption("--list <file>", "as `erasures export` wrote it: one erasure a line")
    .action(({ list }: { list: string }) => commands.repeatErasures(list));
  restore
    .command("hold")
    .description("treat this database as restored: it was brought back in time by other means")
    .requiredOption("--taken-at <time>", "the instant that it shows, such as 2026-11-22T03:00:00Z", parseInstant)
    .action(({ takenAt }: { takenAt: Date }) => commands.holdAfterRestore(takenAt));

  program
    .command("erasures")
    .description("tenants that were erased")
    .command("export")
    .description("list all erasures, one a line, to be kept apart from backups and repeated after a restore")
    .option("--out <file>", "default: the standard output")
    .action(({ out }: { out?: string }) => commands.exportErasures(out ?? null));
}

function parseInstant(text: string): Date {
  const at = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) || Number.isNaN(at.getTime())) {
    throw new InvalidArgumentError("write it as 2026-11-22T03:00:00Z");
  }
  return at;
}
