/**
 * How long the steps of a refresh may take, in milliseconds. Two orders must hold: a lease outlasts the requests that
 * are made under it, and all requests together outlast one.
 */
export interface RefreshTimings {
  /** A token that ends within this time may end on its way. */
  readonly marginMs: number;
  /** How long one process alone may refresh a grant. */
  readonly leaseMs: number;
  /** All requests of one claim together. */
  readonly requestsMs: number;
  readonly requestMs: number;
  /** Where a refresh token works once its answer is all there is: it is waited for as long as it may come. */
  readonly singleUseLeaseMs: number;
  readonly singleUseRequestMs: number;
  /** How long a caller waits for a refresh, its own or another process's. */
  readonly waitMs: number;
  /** How often it looks, where no notification tells it. */
  readonly pollMs: number;
  /** How long a claim may wait for its turn at the token endpoint. */
  readonly turnMs: number;
  /** How long a refused grant may still be revived by a pair that is on its way, untold. */
  readonly provisionalMs: number;
  /** After trouble on the way nobody asks again before; doubled with every further failure. */
  readonly retryMs: number;
  readonly retryMsMax: number;
}

export const REFRESH_TIMINGS: RefreshTimings = {
  marginMs: 30_000,
  leaseMs: 30_000,
  requestsMs: 20_000,
  requestMs: 10_000,
  singleUseLeaseMs: 60_000,
  singleUseRequestMs: 50_000,
  waitMs: 25_000,
  pollMs: 250,
  turnMs: 5_000,
  provisionalMs: 60_000,
  retryMs: 10_000,
  retryMsMax: 300_000,
};
