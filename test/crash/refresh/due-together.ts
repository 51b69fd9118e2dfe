import { setTimeout as delay } from "node:timers/promises";
import { refreshInstant } from "../../../packages/backend/src/products/credentials/plan-refresh.ts";
import type { TokenLimit } from "../../../packages/backend/src/products/credentials/token-budget.ts";
import { Secret } from "../../../packages/backend/src/platform/runtime/index.ts";
import { createRefreshWorld, type RefreshGround, type Scenario } from "./world.ts";

/** Of one provider app; a connector without a limit of its own gets this one. */
export const LIMIT: TokenLimit = { requests: 100, perSeconds: 10 };
const CALLERS_MS_MAX = 20 * 60_000;

export interface DueTogether {
  readonly grants: number;
  /** The most that the provider got in any window of the limit's length. */
  readonly mostInWindow: number;
  readonly tokenCalls: number;
  readonly failed: number;
  readonly elapsedMs: number;
}

/** Grants of one provider app that all expire at once, asked for on three nodes at once. */
export async function runDueTogether(
  ground: RefreshGround,
  grants: number,
  limit: TokenLimit = LIMIT,
): Promise<{ readonly figures: DueTogether; readonly violations: readonly string[] }> {
  await using world = await createRefreshWorld(ground, limit);
  const nodes = [await world.node(), await world.node(), await world.node()];
  const first = await world.aScenario("until_replaced");
  const scenarios: Scenario[] = [first];
  while (scenarios.length < grants) scenarios.push(await world.aScenario("until_replaced", first));
  const startedMs = performance.now();
  const given = await Promise.all(
    scenarios.map(async ({ target }, index) => {
      const { credentials } = nodes[index % nodes.length] ?? {};
      while (credentials !== undefined && performance.now() - startedMs < CALLERS_MS_MAX) {
        const access = await credentials.accessToken(target);
        if ("token" in access) return true;
        await delay(1_000 * (1 + Math.random()));
      }
      return false;
    }),
  );
  const arrivals = scenarios.flatMap(({ family }) => family.arrivals).toSorted((a, b) => a - b);
  const figures = {
    grants,
    mostInWindow: mostWithin(arrivals, limit.perSeconds * 1_000),
    tokenCalls: arrivals.length,
    failed: given.filter((ok) => !ok).length,
    elapsedMs: Math.round(performance.now() - startedMs),
  };
  const violations = [
    ...(figures.mostInWindow > limit.requests ? ["O11: the provider's limit was exceeded"] : []),
    ...(figures.tokenCalls !== grants ? [`O11: ${figures.tokenCalls} token calls for ${grants} grants`] : []),
    ...(figures.failed > 0 ? [`O11: ${figures.failed} failed`] : []),
  ];
  return { figures, violations };
}

/** How many refreshes of tokens that were issued in the same second come due in the fullest second, by chance alone. */
export function fullestSecond(grants: number, lifeSeconds: number, random: () => number): number {
  const issuedAt = new Date(0);
  const pair = {
    kind: "tokens",
    accessToken: new Secret("a"),
    refreshToken: new Secret("r"),
    accessExpiresAt: new Date(lifeSeconds * 1_000),
    refreshExpiresAt: null,
  } as const;
  const instants = Array.from({ length: grants }, () => refreshInstant(issuedAt, pair, random)?.getTime() ?? 0);
  return mostWithin(
    instants.toSorted((a, b) => a - b),
    1_000,
  );
}

function mostWithin(sorted: readonly number[], windowMs: number): number {
  let most = 0;
  let from = 0;
  for (const [to, at] of sorted.entries()) {
    while (at - (sorted[from] ?? at) >= windowMs) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}
