import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { startEmbeddedPostgres } from "../../../packages/backend/src/platform/db/embedded/index.ts";
import { LOGIN_ROLE, migrate } from "../../../packages/backend/src/platform/db/index.ts";
import { silentLogger } from "../../../packages/backend/src/platform/observability/index.ts";
import { runDueTogether } from "./due-together.ts";
import { KILL_CELLS, isSurvivable, killViolationsOf, runKill } from "./kills.ts";
import {
  SCALED_DELAY_MS,
  isRecoverable,
  matrixNodes,
  nameOf,
  runCell,
  violationsOf,
  type Cell,
  type CellFigures,
} from "./matrix.ts";
import { FAULTS, POLICIES } from "./policy-server.ts";
import { createRefreshWorld, type RefreshGround } from "./world.ts";

/** Cells at once: they mostly wait. */
const CELLS_AT_ONCE = 6;
const GRANTS_MAX = 100_000;

/**
 * `pnpm crash refresh [--grants 10000] [--only-grants]`: the whole matrix of refreshes, every kill, and so many grants that expire
 * together, with figures. Ten thousand take twenty minutes: the provider's limit is what takes them.
 */
export async function runRefresh(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { grants: { type: "string", default: "10000" }, "only-grants": { type: "boolean", default: false } },
  });
  const grants = Math.min(Number(values.grants), GRANTS_MAX);
  const folder = await mkdtemp(join(tmpdir(), "patchbay-refresh-run-"));
  const server = await startEmbeddedPostgres({ dataDir: folder, log: silentLogger, fsync: false });
  const { adminConnection, loginPassword } = server;
  await migrate({ connection: adminConnection, loginPassword, log: silentLogger });
  const sql = postgres({ ...adminConnection, max: 4, onnotice: () => {} });
  const connection = { ...adminConnection, user: LOGIN_ROLE, password: loginPassword };
  try {
    const ground = { connection, sql };
    const violations = values["only-grants"]
      ? []
      : [...(await matrix(ground)), ...(await processes(ground)), ...(await kills(ground))];
    violations.push(...(await dueTogether(ground, grants)));
    for (const violation of violations) say(`BROKEN ${violation}`);
    say(`broken promises ${violations.length}`);
    return violations.length === 0 ? 0 : 1;
  } finally {
    await sql.end({ timeout: 5 });
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function matrix(ground: RefreshGround): Promise<readonly string[]> {
  await using world = await createRefreshWorld(ground);
  world.server.delayMs = SCALED_DELAY_MS;
  const nodes = await matrixNodes(world);
  const cells = POLICIES.flatMap((policy) =>
    (["no_fault", ...FAULTS] as const).flatMap((fault) =>
      ([1, 3] as const).flatMap((count) =>
        ([1, 50, 200] as const).map((callers): Cell => ({ policy, fault, nodes: count, callers })),
      ),
    ),
  );
  const results: { readonly cell: Cell; readonly figures: CellFigures }[] = [];
  const startedMs = performance.now();
  await inParallel(cells, CELLS_AT_ONCE, async (cell) => {
    const figures = await runCell(world, nodes, cell);
    results.push({ cell, figures });
    say(`  ${nameOf(cell)}: ${JSON.stringify(figures)}`);
  });
  const sum = (of: readonly (typeof results)[number][], pick: (figures: CellFigures) => number) =>
    of.reduce((total, { figures }) => total + pick(figures), 0);
  const clean = results.filter(({ cell }) => cell.fault === "no_fault" && cell.policy !== "none");
  const recoverable = results.filter(({ cell }) => isRecoverable(cell));
  const lost = results.filter(({ cell }) => !isRecoverable(cell));
  say(`O8 cells ${results.length} in ${seconds(startedMs)} s, reuses ${sum(results, (each) => each.reuses)}`);
  say(`O8 token calls per expiry without fault ${(sum(clean, (each) => each.tokenCalls) / clean.length).toFixed(2)}`);
  say(`O8 failed callers where recovery is possible ${sum(recoverable, (each) => each.failed)}`);
  say(`O8 events per death ${(sum(lost, (each) => each.reauthorizations) / lost.length).toFixed(2)}`);
  return results.flatMap(({ cell, figures }) => violationsOf(cell, figures));
}

async function processes(ground: RefreshGround): Promise<readonly string[]> {
  await using world = await createRefreshWorld(ground);
  const three = await Promise.all([world.process(), world.process(), world.process()]);
  const violations: string[] = [];
  for (const policy of ["stable", "until_replaced", "never"] as const) {
    const { target, family } = await world.aScenario(policy);
    const startedMs = performance.now();
    const given = await Promise.all(three.map((each) => each.order({ target, callers: 200, after401: null })));
    const failed = given.flatMap(({ answers }) => answers).filter((token) => !world.server.accepts(token)).length;
    say(
      `O8 3 processes × 200 callers, ${policy}: ${family.calls} token calls, ${failed} failed, ${seconds(startedMs)} s`,
    );
    if (family.calls !== 1 || failed > 0)
      violations.push(`3 processes, ${policy}: ${family.calls} calls, ${failed} failed`);
  }
  for (const each of three) await each.kill();
  return violations;
}

async function kills(ground: RefreshGround): Promise<readonly string[]> {
  await using world = await createRefreshWorld(ground);
  const nodes = [await world.node(), await world.node()] as const;
  const startedMs = performance.now();
  const violations: string[] = [];
  let saved = 0;
  await inParallel(KILL_CELLS, 2, async (cell) => {
    const cellMs = performance.now();
    const figures = await runKill(world, nodes, cell);
    say(`  ${cell.policy} killed at ${cell.point}: ${JSON.stringify(figures)}, ${seconds(cellMs)} s`);
    if (figures.recovered) saved += 1;
    violations.push(...killViolationsOf(cell, figures));
  });
  const survivable = KILL_CELLS.filter(isSurvivable).length;
  say(`O9 kills ${KILL_CELLS.length} in ${seconds(startedMs)} s, saved ${saved} of ${survivable} that can be`);
  return violations;
}

async function dueTogether(ground: RefreshGround, grants: number): Promise<readonly string[]> {
  const { violations, figures } = await runDueTogether(ground, grants);
  say(`O11 ${JSON.stringify(figures)}`);
  return violations;
}

async function inParallel<Item>(items: readonly Item[], atOnce: number, work: (item: Item) => Promise<void>) {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1_000).toFixed(1);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
