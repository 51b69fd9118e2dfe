import { setTimeout as delay } from "node:timers/promises";
import type { Credentials, GrantTarget } from "../../../packages/backend/src/products/credentials/index.ts";
import {
  REFRESH_TIMINGS,
  type RefreshTimings,
} from "../../../packages/backend/src/products/credentials/refresh-timings.ts";
import type { Fault, Policy } from "./policy-server.ts";
import type { RefreshNode } from "./node.ts";
import type { RefreshWorld } from "./world.ts";

/** One expiry: so many callers on so many nodes want a token at once while the provider misbehaves once. */
export interface Cell {
  readonly policy: Policy;
  readonly fault: Fault | "no_fault";
  readonly nodes: 1 | 3;
  readonly callers: 1 | 50 | 200;
}

export interface CellFigures {
  readonly tokenCalls: number;
  readonly reuses: number;
  /** Callers that never got a token. */
  readonly failed: number;
  /** Callers that had to ask again: their wait was over before the provider answered. */
  readonly askedAgain: number;
  readonly reauthorizations: number;
  readonly elapsedMs: number;
}

/** The product's own, but that a provisional death lasts a second instead of a minute. */
export const NEARLY_LIVE: RefreshTimings = { ...REFRESH_TIMINGS, provisionalMs: 1_000, retryMs: 1_000 };
/** A fifth of the real ones for requests that may be repeated: a provider's 40 s are 8 s here. */
export const SCALED: RefreshTimings = { ...NEARLY_LIVE, leaseMs: 6_000, requestsMs: 4_000, requestMs: 2_000 };
export const SCALED_DELAY_MS = 8_000;
const CALLER_MS_MAX = 60_000;

/** Whether the provider lets a refresh be made good again: not where a token works once and its answer is lost. */
export function isRecoverable({ policy, fault }: Pick<Cell, "policy" | "fault">): boolean {
  if (policy === "none") return false;
  return policy !== "never" || fault === "no_fault" || fault === "delay_after";
}

/** Three nodes that wait as long as the product does, and three that do not wait for a slow provider as long. */
export interface MatrixNodes {
  readonly live: readonly RefreshNode[];
  readonly scaled: readonly RefreshNode[];
}

export async function matrixNodes(world: RefreshWorld): Promise<MatrixNodes> {
  const three = (timings: RefreshTimings) => Promise.all([1, 2, 3].map(() => world.node(timings)));
  return { live: await three(NEARLY_LIVE), scaled: await three(SCALED) };
}

export async function runCell(world: RefreshWorld, all: MatrixNodes, cell: Cell): Promise<CellFigures> {
  const nodes = cell.fault === "delay_after" ? all.scaled : all.live;
  const { target, family } = await world.aScenario(cell.policy);
  if (cell.fault !== "no_fault") family.faults.push(cell.fault);
  const used = nodes.slice(0, cell.nodes);
  const startedMs = performance.now();
  const given = await Promise.all(
    Array.from({ length: cell.callers }, (_, caller) =>
      untilSettled(used[caller % used.length]?.credentials, target, cell.policy === "none"),
    ),
  );
  const elapsedMs = Math.round(performance.now() - startedMs);
  // Every node looks once more: nobody may tell a second time.
  await Promise.all(nodes.map(({ credentials }) => credentials.tellFates(target.workspaceId)));
  return {
    tokenCalls: family.calls,
    reuses: family.reuses,
    failed: given.filter(({ token }) => token === null || !world.server.accepts(token)).length,
    askedAgain: given.filter(({ tries }) => tries > 1).length,
    reauthorizations: await world.reauthorizations(target),
    elapsedMs,
  };
}

/** As a caller does: a token, or a person is needed, or later again. */
async function untilSettled(
  credentials: Credentials | undefined,
  target: GrantTarget,
  after401: boolean,
): Promise<{ readonly token: string | null; readonly tries: number }> {
  const endMs = performance.now() + CALLER_MS_MAX;
  let tries = 0;
  while (credentials !== undefined && performance.now() < endMs) {
    tries += 1;
    const access = await (after401 ? credentials.refreshAfter401(target, 1) : credentials.accessToken(target));
    if ("token" in access) return { token: access.token.reveal(), tries };
    if ("problem" in access && access.problem === "reauthorize") return { token: null, tries };
    await delay(200);
  }
  return { token: null, tries };
}

/** What of a cell's figures is not as promised. */
export function violationsOf(cell: Cell, figures: CellFigures): readonly string[] {
  const wanted: [string, boolean][] = [["reuse", figures.reuses === 0]];
  if (isRecoverable(cell)) {
    wanted.push(["failed callers", figures.failed === 0], ["a death told", figures.reauthorizations === 0]);
  } else {
    wanted.push(["one event", figures.reauthorizations === 1]);
  }
  // How often a slow provider is asked depends on how slow the machine is.
  if (cell.fault === "delay_after" && cell.policy !== "never" && cell.policy !== "none")
    return named(cell, figures, wanted);
  const calls = cell.policy === "none" ? 0 : cell.fault === "no_fault" || cell.policy === "never" ? 1 : 2;
  wanted.push([`${calls} token calls`, figures.tokenCalls === calls]);
  return named(cell, figures, wanted);
}

function named(cell: Cell, figures: CellFigures, wanted: readonly [string, boolean][]): readonly string[] {
  return wanted.flatMap(([what, kept]) => (kept ? [] : [`${nameOf(cell)}: ${what} (${JSON.stringify(figures)})`]));
}

export function nameOf({ policy, fault, nodes, callers }: Cell): string {
  return `${policy} × ${fault} × ${nodes} nodes × ${callers} callers`;
}
