import type { Page } from "@patchbay/shared";
import { ApiPromise, type ApiResponse } from "./api-promise.ts";
import { PatchbayError } from "./errors.ts";

/** What every list takes. */
export interface ListParams {
  /** Items per page, 1–100; default 50. */
  readonly limit?: number | undefined;
  /** `nextCursor` of an earlier page, to go on from there. */
  readonly cursor?: string | undefined;
}

/** A page as it comes. */
export type WirePage<Item> = Pick<Page<Item>, "data"> & Partial<Page<Item>>;

/** Asks for the page behind `cursor`; the first page when there is none. */
export type FetchPage<Item> = (cursor?: string) => Promise<ApiResponse<WirePage<Item>>>;

/** One page of a list. Iterating it gives the items of this page and of all that follow. */
export class ListPage<Item> implements Page<Item>, AsyncIterable<Item> {
  readonly data: readonly Item[];
  readonly hasMore: boolean;
  readonly nextCursor: string | null;
  readonly #fetchPage: FetchPage<Item>;

  constructor(page: WirePage<Item>, fetchPage: FetchPage<Item>) {
    this.data = page.data;
    // Short lists that always come whole, such as providers, say nothing about more.
    this.hasMore = page.hasMore ?? false;
    this.nextCursor = page.nextCursor ?? null;
    this.#fetchPage = fetchPage;
  }

  hasNextPage(): boolean {
    return this.hasMore && this.nextCursor !== null;
  }

  /** @throws PatchbayError when there is none: ask `hasNextPage()` first. */
  async getNextPage(): Promise<ListPage<Item>> {
    const next = await this.#next();
    if (next === null) throw new PatchbayError("there is no next page");
    return next;
  }

  /** This page and all that follow. */
  async *pages(): AsyncGenerator<ListPage<Item>, void> {
    yield this;
    for (let next = await this.#next(); next !== null; next = await next.#next()) yield next;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void> {
    for await (const page of this.pages()) yield* page.data;
  }

  async #next(): Promise<ListPage<Item> | null> {
    if (!this.hasMore || this.nextCursor === null) return null;
    const { data: page } = await this.#fetchPage(this.nextCursor);
    // A list that stands still would be read for ever.
    if (page.hasMore && page.nextCursor === this.nextCursor) {
      throw new PatchbayError("the server answered with the cursor it was given: reading on would not end");
    }
    return new ListPage(page, this.#fetchPage);
  }
}

/**
 * What a list call returns. Await it for one page, or iterate it for everything:
 *
 * ```ts
 * for await (const order of patchbay.tenant("acme").records.list("order")) { … }
 * ```
 *
 * Pages are asked for one at a time, when the one before is used up.
 */
export class PagePromise<Item> extends ApiPromise<ListPage<Item>> implements AsyncIterable<Item> {
  constructor(fetchPage: FetchPage<Item>) {
    super(fetchPage().then((response) => ({ ...response, data: new ListPage(response.data, fetchPage) })));
  }

  /** Page by page. */
  async *pages(): AsyncGenerator<ListPage<Item>, void> {
    yield* (await this).pages();
  }

  /**
   * The first items as an array.
   *
   * @param options.limit the most items to take over all pages; required, because a list may be longer than memory
   */
  async toArray(options: { readonly limit: number }): Promise<Item[]> {
    const items: Item[] = [];
    if (options.limit <= 0) return items;
    for await (const item of this) {
      items.push(item);
      if (items.length >= options.limit) break;
    }
    return items;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void> {
    yield* await this;
  }
}
