import type { Order, Patchbay } from "@patchbay/node";

/** Orders kept of each tenant; the ones that changed longest ago go first. */
const ORDERS_MAX = 5_000;
/** Changes read in one refresh; the next one goes on. */
const CHANGES_MAX = 2_000;

interface Book {
  readonly orders: Map<string, Order>;
  lastSeq: string | undefined;
  refreshing: Promise<void> | undefined;
}

/** A copy of each tenant's orders, kept up to date by reading only what changed. */
export class OrderBook {
  readonly #patchbay: Patchbay;
  readonly #books = new Map<string, Book>();

  constructor(patchbay: Patchbay) {
    this.#patchbay = patchbay;
  }

  /**
   * The tenant's orders, newest first.
   *
   * @throws PatchbayError when Patchbay cannot be asked; {@link known} still gives what was read before
   */
  async current(tenantId: string): Promise<Order[]> {
    const book = this.#book(tenantId);
    book.refreshing ??= this.#refresh(tenantId, book).finally(() => (book.refreshing = undefined));
    await book.refreshing;
    return this.known(tenantId);
  }

  known(tenantId: string): Order[] {
    return [...this.#book(tenantId).orders.values()].toSorted((a, b) => placedMs(b) - placedMs(a));
  }

  async #refresh(tenantId: string, book: Book): Promise<void> {
    const changed = this.#patchbay
      .tenant(tenantId)
      .records.list("order", { changedAfterSeq: book.lastSeq, includeDeleted: true, limit: 100 });
    let changes = 0;
    for await (const order of changed) {
      book.orders.delete(order.id);
      if (!order.remoteWasDeleted) book.orders.set(order.id, order);
      book.lastSeq = order.changeSeq;
      const [oldest] = book.orders.keys();
      if (book.orders.size > ORDERS_MAX && oldest !== undefined) book.orders.delete(oldest);
      if (++changes >= CHANGES_MAX) return;
    }
  }

  #book(tenantId: string): Book {
    const book = this.#books.get(tenantId) ?? { orders: new Map(), lastSeq: undefined, refreshing: undefined };
    this.#books.set(tenantId, book);
    return book;
  }
}

function placedMs(order: Order): number {
  return Date.parse(order.placedAt ?? order.remoteCreatedAt ?? order.firstSeenAt);
}
