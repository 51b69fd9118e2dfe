import type { WholeStage } from "./whole-stage.ts";

/** One figure of one run. */
export interface Figure {
  readonly name: string;
  readonly unit: "/s" | "µs" | "ms" | "×" | "s" | "%" | "";
  readonly value: number;
  /** What it should be at least or at most; printed beside it, never a gate. */
  readonly target?: string;
}

/** What one run of a bench found. */
export interface RunResult {
  readonly figures: readonly Figure[];
  /** Promises that were broken: something lost, doubled, or never settled. These fail the bench. */
  readonly broken: readonly string[];
  /** Everything that was measured, kept as JSON. */
  readonly raw: unknown;
}

export interface BenchOptions {
  /** A quick look, some seconds. */
  readonly short: boolean;
  readonly say: (line: string) => void;
  /** A number that the caller set, or how many else. */
  readonly count: (name: string, fallback: number) => number;
  /** The whole product on a stage that benches share; whoever calls the benches clears it. */
  readonly whole: () => Promise<WholeStage>;
}

/** A bench: sets its stage once, runs on it as often as asked, clears what is its own. */
export interface Bench {
  run(): Promise<RunResult>;
  close(): Promise<void>;
}

export type OpenBench = (options: BenchOptions) => Promise<Bench>;
