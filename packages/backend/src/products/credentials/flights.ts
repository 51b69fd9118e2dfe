import type { Access, GrantTarget } from "./deps.ts";
import type { Patience } from "./refresh.ts";

/**
 * One refresh at a time per grant in this process; the lease in the row does the same between processes. Those that
 * wait for nothing fly apart, so that who must wait does not get their answer.
 */
export interface Flights {
  join(target: GrantTarget, patience: Patience, start: () => Promise<Access>): Promise<Access>;
  /** Resolves when none is under way. */
  settled(): Promise<void>;
}

export function createFlights(): Flights {
  const underWay = new Map<string, Promise<Access>>();
  return {
    join(target, patience, start) {
      const name = `${patience}:${target.workspaceId}:${target.grantId}`;
      const held = underWay.get(name);
      if (held !== undefined) return held;
      const flight = start().finally(() => underWay.delete(name));
      underWay.set(name, flight);
      return flight;
    },
    async settled() {
      await Promise.allSettled(underWay.values());
    },
  };
}
