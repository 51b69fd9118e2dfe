import { Counter as PromCounter, Gauge, Histogram as PromHistogram, Registry } from "prom-client";

/**
 * Labels never hold a tenant, a connection, a URL or a token: they are words of ours, few of each. Numbers per tenant
 * come from the database.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(labels?: Labels, by?: number): void;
}

export interface Histogram {
  observe(seconds: number, labels?: Labels): void;
}

/** A value at the time of asking, for each combination of labels. */
export type GaugeReading = readonly { readonly labels?: Labels; readonly value: number }[];

interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** What a process counts, in the text form that Prometheus reads. Made once by the composition root, and passed on. */
export interface Metrics {
  counter(about: Described): Counter;
  histogram(about: Described): Histogram;
  /** @param read asked at most once per {@link GAUGE_MS_MAX}, when somebody looks */
  gauge(about: Described, read: () => Promise<GaugeReading>): void;
  /** @throws what a gauge's reading threw */
  text(): Promise<{ readonly body: string; readonly contentType: string }>;
}

/** Readings that ask the database are not repeated for each of several scrapers. */
export const GAUGE_MS_MAX = 15_000;
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const about = ({ labels = [], ...rest }: Described) => ({
    ...rest,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    counter(described) {
      const counter = new PromCounter(about(described));
      // A counter without labels is there from the start: one that is missing cannot be alerted on.
      return { add: (labels = {}, by = 1) => counter.inc(labels, by) };
    },
    histogram(described) {
      const histogram = new PromHistogram({ ...about(described), buckets: BUCKETS_SECONDS });
      return { observe: (seconds, labels = {}) => histogram.observe(labels, seconds) };
    },
    gauge(described, read) {
      const remembered = rememberFor(GAUGE_MS_MAX, read);
      new Gauge({
        ...about(described),
        async collect() {
          const readings = await remembered();
          this.reset();
          for (const { labels = {}, value } of readings) this.set(labels, value);
        },
      });
    },
    text: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  };
}

function rememberFor<Value>(ms: number, read: () => Promise<Value>): () => Promise<Value> {
  let until = 0;
  let held: Promise<Value> | null = null;
  return () => {
    if (held !== null && performance.now() < until) return held;
    until = performance.now() + ms;
    const reading = read();
    held = reading;
    // A failure is not remembered.
    reading.catch(() => {
      if (held === reading) held = null;
    });
    return reading;
  };
}
