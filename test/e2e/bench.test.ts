import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const BENCHES = ["ingest", "deliver", "dedupe", "fairness", "replay", "retention"];
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Half a minute where nothing else runs. */
const DEADLINE_MS = 400_000;

/** What the figures are is printed and never asserted; that nothing is lost or doubled is. */
test(
  "each bench runs in its short setting, and finds every id where it belongs",
  async () => {
    const args = ["test/load/bench.ts", ...BENCHES, "--short"];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: DEADLINE_MS });
    expect(stdout.match(/every id was found where it belongs/g)).toHaveLength(BENCHES.length);
  },
  DEADLINE_MS,
);
