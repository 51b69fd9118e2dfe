import {
  REPLAY_IDS_MAX,
  REPLAY_RATE_DEFAULT,
  REPLAY_RATE_MAX,
  type InboxFilter,
  type InboxStatus,
  type ReplayInbox,
} from "@patchbay/shared";
import { InvalidArgumentError, Option, type Command } from "commander";

export interface InboxCommands {
  listInbox(workspace: string, filter: InboxFilter): Promise<void>;
  /** @param ratePerSecond `null`: only count */
  replayInbox(
    workspace: string,
    selection: Omit<ReplayInbox, "ratePerSecond">,
    ratePerSecond: number | null,
  ): Promise<void>;
  listReplays(workspace: string): Promise<void>;
}

const STATUSES = [
  "received",
  "routed",
  "duplicate",
  "ignored",
  "unrouted",
  "quarantined",
] as const satisfies readonly InboxStatus[];

interface FilterOptions extends Omit<InboxFilter, "connectionId" | "sourceId"> {
  readonly workspace: string;
  readonly connection?: string;
  readonly source?: string;
}

interface ReplayOptions extends FilterOptions {
  readonly id?: readonly string[];
  readonly start: boolean;
  readonly rate: number;
}

export function addInboxCommands(program: Command, commands: InboxCommands): void {
  const inbox = program.command("inbox").description("webhooks that providers sent to a workspace");
  withFilter(inbox.command("list", { isDefault: true }).description("list what arrived, newest first")).action(
    ({ workspace, ...options }: FilterOptions) => commands.listInbox(workspace, filterOf(options)),
  );
  withFilter(
    inbox.command("replay").description("count what would be routed once more; with --start, do it behind live work"),
  )
    .option("--id <inb_id...>", `these alone, at most ${REPLAY_IDS_MAX}, instead of a filter`)
    .option("--start", "begin; workers do it", false)
    .option("--rate <number>", `webhooks a second, 1 to ${REPLAY_RATE_MAX}`, parseRate, REPLAY_RATE_DEFAULT)
    .action(({ workspace, start, rate, id, ...options }: ReplayOptions) =>
      commands.replayInbox(workspace, { ...filterOf(options), ids: id }, start ? rate : null),
    );
  inbox
    .command("replays")
    .description("list replays and how far they got, newest first")
    .requiredOption("--workspace <ws_…>")
    .action(({ workspace }: { workspace: string }) => commands.listReplays(workspace));
}

function withFilter(command: Command): Command {
  return command
    .requiredOption("--workspace <ws_…>")
    .option("--provider <name>")
    .option("--source <src_…>", "came in at this address")
    .option("--connection <conn_…>", "routed to this connection")
    .addOption(new Option("--status <status>").choices(STATUSES))
    .option("--since <time>", "received at or after, such as 2027-01-01T00:00:00Z", parseTime)
    .option("--until <time>", "received before", parseTime);
}

function filterOf({ connection, source, ...rest }: Omit<FilterOptions, "workspace">): InboxFilter {
  return { ...rest, connectionId: connection, sourceId: source };
}

function parseTime(text: string): string {
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError("say it as 2027-01-01T00:00:00Z");
  }
  return time.toISOString();
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!Number.isInteger(rate) || rate < 1 || rate > REPLAY_RATE_MAX) {
    throw new InvalidArgumentError(`say 1 to ${REPLAY_RATE_MAX}`);
  }
  return rate;
}
