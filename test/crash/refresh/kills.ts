import { FAILPOINTS, type Failpoint } from "../../../packages/backend/src/products/credentials/failpoints.ts";
import { REFRESH_TIMINGS } from "../../../packages/backend/src/products/credentials/refresh-timings.ts";
import type { RefreshNode } from "./node.ts";
import { POLICIES, type Family, type Policy } from "./policy-server.ts";
import type { NodeProcess, RefreshWorld, Scenario } from "./world.ts";

/** `sent`: the provider has carried the request out and not answered yet; the others are the process's own instants. */
export type KillPoint = Failpoint | "sent";
export const KILL_POINTS = [...FAILPOINTS.slice(0, 4), "sent", ...FAILPOINTS.slice(4)] as const satisfies KillPoint[];

export interface KillCell {
  readonly policy: Policy;
  readonly point: KillPoint;
}

export interface KillFigures {
  readonly recovered: boolean;
  readonly reauthorizations: number;
  readonly reuses: number;
  readonly tokenCalls: number;
}

/** Cells that can be reached: see {@link isReached}. */
export const KILL_CELLS: readonly KillCell[] = POLICIES.flatMap((policy) =>
  KILL_POINTS.map((point) => ({ policy, point })).filter(isReached),
);

/**
 * Where nothing refreshes, nothing is asked; where a token works once, a late pair always finds its place and a lost
 * answer is a death.
 */
function isReached({ policy, point }: KillCell): boolean {
  if (policy === "none") return point === "due" || point === "flight" || point === "claimed" || point === "dead";
  return policy !== "never" || (point !== "overtaken" && point !== "lost");
}

/**
 * Whether another process can go on. By nature not: where a token works once and may have been sent, its answer died
 * with the process; and where the provider refuses.
 */
export function isSurvivable({ policy, point }: KillCell): boolean {
  if (policy === "none" || point === "dead") return false;
  return policy !== "never" || !LOST_IF_SINGLE_USE.has(point);
}
const LOST_IF_SINGLE_USE: ReadonlySet<KillPoint> = new Set(["asking", "sent", "answered"]);

/** Kills a process at the point, lets its lease end, and lets two others go on. */
export async function runKill(
  world: RefreshWorld,
  nodes: readonly [RefreshNode, RefreshNode],
  cell: KillCell,
): Promise<KillFigures> {
  const { policy, point } = cell;
  const [child, scenario] = await Promise.all([
    world.process(point === "sent" ? {} : { killAt: point }),
    world.aScenario(policy),
  ]);
  const { target, family } = scenario;
  const order = { target, callers: 3, after401: policy === "none" ? 1 : null };
  await arrange(world, nodes, cell, scenario, child);
  await child.orderToDeath(order);
  family.onCarriedOut = null;
  await world.passes(target, REFRESH_TIMINGS.singleUseLeaseMs);
  const tokens = await Promise.all(nodes.map((node) => ask(node, scenario, order.after401)));
  // The minute of a provisional death goes by; then everybody looks, more than once.
  await world.passes(target, REFRESH_TIMINGS.provisionalMs);
  for (let round = 0; round < 2; round++) {
    await Promise.all(nodes.map(({ credentials }) => credentials.tellFates(target.workspaceId)));
    await Promise.all(nodes.map((node) => ask(node, scenario, order.after401)));
  }
  return {
    recovered: tokens.every((token) => token !== null && world.server.accepts(token)),
    reauthorizations: await world.reauthorizations(target),
    reuses: family.reuses,
    tokenCalls: family.calls,
  };
}

/** What must be so for the process to come to the point. */
async function arrange(
  world: RefreshWorld,
  [other]: readonly [RefreshNode, RefreshNode],
  { policy, point }: KillCell,
  { target, family }: Scenario,
  child: NodeProcess,
): Promise<void> {
  if (point === "sent") family.onCarriedOut = () => child.kill();
  if (point === "lost") family.faults.push("drop_after", "drop_after");
  if (point === "dead" && policy !== "none") refuse(family);
  if (point === "overtaken") {
    family.onCarriedOut = async () => {
      // Its lease ends while it waits for the answer, and somebody else refreshes.
      family.onCarriedOut = null;
      await world.passes(target, REFRESH_TIMINGS.leaseMs);
      await other.credentials.accessToken(target);
    };
  }
}

function refuse(family: Family): void {
  family.revoked = true;
}

async function ask(node: RefreshNode, { target }: Scenario, after401: number | null): Promise<string | null> {
  const { credentials } = node;
  const access = await (after401 === null
    ? credentials.accessToken(target)
    : credentials.refreshAfter401(target, after401));
  return "token" in access ? access.token.reveal() : null;
}

/** What of a cell's figures is not as promised. */
export function killViolationsOf(cell: KillCell, figures: KillFigures): readonly string[] {
  const survivable = isSurvivable(cell);
  const wanted: readonly [string, boolean][] = [
    ["recovery", figures.recovered === survivable],
    ["events", figures.reauthorizations === (survivable ? 0 : 1)],
    ["reuse", figures.reuses === 0],
  ];
  const name = `${cell.policy} killed at ${cell.point}`;
  return wanted.flatMap(([what, kept]) => (kept ? [] : [`${name}: ${what} (${JSON.stringify(figures)})`]));
}
