/** Times of one kind, in milliseconds. */
export interface Figures {
  readonly n: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Percentiles by nearest rank. */
export function figuresOf(times: readonly number[]): Figures {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return { n: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** Milliseconds that at least one of the intervals covers, within a window. */
export function coveredMs(
  intervals: readonly { readonly from: number; readonly to: number }[],
  window: { readonly from: number; readonly to: number },
): number {
  let covered = 0;
  let upTo = window.from;
  for (const { from, to } of intervals.toSorted((a, b) => a.from - b.from)) {
    const begin = Math.max(from, upTo);
    const end = Math.min(to, window.to);
    if (end <= begin) continue;
    covered += end - begin;
    upTo = end;
  }
  return covered;
}
