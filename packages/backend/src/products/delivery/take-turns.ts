import { setTimeout as delay } from "node:timers/promises";
import type { ClaimedLane } from "../../platform/lanes/index.ts";
import type { DeliveryDeps } from "./deps.ts";
import type { EndpointRow } from "./find-endpoints.ts";

/** Waits until the next request may begin. @returns whether it may: else give the lane back */
export type TakeTurn = (endpoint: EndpointRow, left: number) => Promise<boolean>;

/** Keeps a claimed lane to what its endpoint asks for, together with all other lanes of the endpoint. */
export function createTurns(deps: Pick<DeliveryDeps, "worker" | "clock">, lane: ClaimedLane): TakeTurn {
  let turns: readonly Date[] = [];
  return async ({ ratePerSecond: perSecond, maxInFlight: atOnce }, left) => {
    if (perSecond === null && atOnce === null) return true;
    if (turns.length === 0) {
      turns = await deps.worker.withQueue((tx) => lane.takeTurns(tx, { perSecond, atOnce }, left));
    }
    const [next, ...later] = turns;
    turns = later;
    if (next === undefined) return false;
    await delay(Math.max(0, next.getTime() - deps.clock.now().getTime()), null, { signal: lane.signal }).catch(
      () => null,
    );
    return !lane.signal.aborted;
  };
}
