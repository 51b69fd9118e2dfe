import type { ClaimedLane } from "../../platform/lanes/index.ts";
import type { ErasureDeps } from "./deps.ts";
import { eraseTenant } from "./erase-tenant.ts";
import { handleErasure } from "./handle-lane.ts";
import { getErasure, listErasures } from "./read-erasures.ts";

export type { ErasureDeps } from "./deps.ts";
export { listErasures } from "./read-erasures.ts";
export * from "./tables.ts";

export type Erasures = ReturnType<typeof createErasures>;

/** Takes tenants away for good, and says what is left of them. */
export function createErasures(deps: ErasureDeps) {
  return {
    eraseTenant: (input: Parameters<typeof eraseTenant>[1]) => eraseTenant(deps, input),
    get: (input: Parameters<typeof getErasure>[1]) => getErasure(deps, input),
    list: (input: Parameters<typeof listErasures>[1]) => listErasures(deps, input),
    /** The handler of lanes of kind `erasure`. */
    handleLane: (lane: ClaimedLane) => handleErasure(deps, lane),
  };
}
