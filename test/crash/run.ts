import { commandDatabase, commandNetwork, commandTime } from "./commands/faults.ts";
import { commandFailpoints } from "./commands/failpoints.ts";
import { commandKills } from "./commands/kills.ts";
import { commandMutants } from "./commands/mutants.ts";
import { runRefresh } from "./refresh/run.ts";

/**
 * `pnpm crash <what> [options]`: the crash tests for as long as one likes, with their figures; see
 * `docs/reliability.md`. Without a word: `kills`.
 */
const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  database: commandDatabase,
  failpoints: commandFailpoints,
  kills: commandKills,
  mutants: commandMutants,
  network: commandNetwork,
  refresh: runRefresh,
  time: commandTime,
};

const given = process.argv.slice(2).filter((argument) => argument !== "--");
const [first = "kills"] = given;
const isOption = first.startsWith("--");
const command = COMMANDS[isOption ? "kills" : first];
if (command === undefined) {
  process.stderr.write(`no such crash test: ${first}; there are ${Object.keys(COMMANDS).join(", ")}\n`);
  process.exit(2);
}
process.exit(await command(isOption ? given : given.slice(1)));
