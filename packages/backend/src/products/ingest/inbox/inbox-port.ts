import type { InboxId, WorkspaceId } from "@patchbay/shared";
import type { Tx } from "../../../platform/db/index.ts";
import type { ArrivalRef, SizedArrivalRef } from "../router/read-arrivals.ts";
import type { InboxRow } from "./append-inbox.ts";

/**
 * Where deliveries are safe between the two stages of the inbox: `accept` puts them in, the router takes them out.
 *
 * What an adapter must do is written down as tests: `testing/inbox-contract.ts`.
 */
export interface InboxPort {
  /**
   * Resolves once the delivery is on disk and will be due, and not before.
   *
   * @throws AppError `overloaded` when more waits than fits; the source that takes the most room is refused first
   */
  append(row: InboxRow): Promise<void>;
  /** What waits to be routed, what waits longest first, by workspace. It goes on waiting until {@link end}. */
  due(max: number): Promise<ReadonlyMap<WorkspaceId, readonly SizedArrivalRef[]>>;
  /** Takes them for this transaction. @returns those that nobody else took or ended */
  hold(tx: Tx, refs: readonly ArrivalRef[]): Promise<ReadonlySet<InboxId>>;
  /** They are routed if this transaction commits. */
  end(tx: Tx, held: ReadonlySet<InboxId>): Promise<void>;
  /** It comes again later, further apart each time. @returns tries so far; `null`: it was ended meanwhile */
  putOff(tx: Tx, ref: ArrivalRef, now: Date): Promise<number | null>;
}
