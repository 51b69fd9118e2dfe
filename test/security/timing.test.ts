/**
 * Whether the time of an answer tells a foreign id from one that nobody has. A trend to look at, not a gate: on shared
 * machines times say little. `pnpm prove` asks 5,000 times each.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { send, withKey, withSession } from "./http.ts";
import { unknownTwin } from "./ids.ts";
import { createWorld, type World } from "./world.ts";

const EACH = Number(process.env["PATCHBAY_TEST_TIMINGS"] ?? 150);

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 120_000);
afterAll(() => world[Symbol.asyncDispose]());

const ROUTES: Readonly<Record<string, (world: World) => { path: string; headers: Readonly<Record<string, string>> }>> =
  {
    "a connection by key": ({ a, b }) => ({
      path: `/v1/connections/${b.first.connectionId}`,
      headers: withKey(a.apiKey),
    }),
    "a run by key": ({ a, b }) => ({ path: `/v1/runs/${b.first.runId}`, headers: withKey(a.apiKey) }),
    "a connection by another tenant's session": ({ a }) => ({
      path: `/connect/v1/connections/${a.second.connectionId}`,
      headers: withSession(a.first.sessionToken),
    }),
  };

describe("the time of an answer", () => {
  test.each(Object.entries(ROUTES))(
    "T6: %s: printed for a foreign id and for nobody's",
    { timeout: 600_000 },
    async (name, routeOf) => {
      const { product } = world;
      const { path, headers } = routeOf(world);
      const id = path.slice(path.lastIndexOf("/") + 1);
      const paths = { foreign: path, unknown: path.replace(id, unknownTwin(id)) };
      const times: Record<"foreign" | "unknown", number[]> = { foreign: [], unknown: [] };
      for (let n = -20; n < EACH; n++) {
        // In turn, and in turn who is first: drift of the machine hits both alike.
        for (const kind of n % 2 === 0 ? (["foreign", "unknown"] as const) : (["unknown", "foreign"] as const)) {
          const started = performance.now();
          const { status } = await send(product, { method: "GET", path: paths[kind], headers });
          const elapsed = performance.now() - started;
          expect(status).toBe(404);
          if (n >= 0) times[kind].push(elapsed);
        }
      }
      const [foreign, unknown] = [median(times.foreign), median(times.unknown)];
      const gap = ((foreign - unknown) / unknown) * 100;
      const p = mannWhitney(times.foreign, times.unknown);
      const figures = `${foreign.toFixed(3)} ms and ${unknown.toFixed(3)} ms, gap ${gap.toFixed(1)} %, p ${p.toFixed(3)}`;
      process.stdout.write(`T6: ${name}: ${figures} (${EACH} each)\n`);
      expect(times.foreign).toHaveLength(EACH);
    },
  );

  test("T6: the statistic tells shifted samples from equal ones", () => {
    const sample = (shift: number) => Array.from({ length: 500 }, (_, n) => ((n * 0.618_034) % 1) + shift);
    expect(mannWhitney(sample(0), sample(0))).toBeGreaterThan(0.9);
    expect(mannWhitney(sample(0), sample(0.2))).toBeLessThan(0.001);
  });
});

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Two-sided p of the Mann-Whitney U test, by the normal approximation. */
function mannWhitney(one: readonly number[], other: readonly number[]): number {
  const all = [...one.map((value) => ({ value, mine: true })), ...other.map((value) => ({ value, mine: false }))];
  all.sort((left, right) => left.value - right.value);
  let ranks = 0;
  for (let start = 0; start < all.length;) {
    let end = start;
    while (end < all.length && all[end]?.value === all[start]?.value) end++;
    // Equal values share the mean of their ranks.
    const rank = (start + 1 + end) / 2;
    ranks += rank * all.slice(start, end).filter(({ mine }) => mine).length;
    start = end;
  }
  const [n, m] = [one.length, other.length];
  const u = ranks - (n * (n + 1)) / 2;
  const z = Math.abs(u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
  return 2 * (1 - normal(z));
}

/** @see Abramowitz and Stegun 26.2.17 */
function normal(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * z);
  const series = [0.319_381_53, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
  const tail = series.reduce((sum, factor, index) => sum + factor * t ** (index + 1), 0);
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}
