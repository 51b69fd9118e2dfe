/** Arrivals a second, without the first and the last tenth: what starts up and runs out is not the speed. */
export function coveredRate(timesMs: readonly number[]): number {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const cut = Math.floor(sorted.length / 10);
  const inner = sorted.slice(cut, sorted.length - cut);
  const spanMs = (inner.at(-1) ?? 0) - (inner[0] ?? 0);
  return spanMs <= 0 ? Number.NaN : ((inner.length - 1) * 1_000) / spanMs;
}
