import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a generator is to send. */
export interface LoadPlan {
  /** Of the server: `http://127.0.0.1:4400`. */
  readonly url: string;
  /** Taken in turn. */
  readonly targets: readonly Target[];
  readonly topic: string;
  readonly secret: string;
  /** Webhook ids are this and a number. */
  readonly idPrefix: string;
  /** The first number. */
  readonly from: number;
  /** Each with an order of its own; else of some hundred orders, which costs the generator less. */
  readonly distinctOrders: boolean;
  /** Every so many-th is a copy of an earlier one; 0: none. */
  readonly duplicateEvery: number;
  readonly connections: number;
  readonly seconds: number;
  /** A second, on schedule; `null`: as fast as the answers come. */
  readonly rate: number | null;
}

export interface Target {
  readonly path: string;
  readonly shop: string;
}

export interface LoadResult {
  readonly startedAtMs: number;
  readonly elapsedMs: number;
  /** Numbers that were answered 200, in the order of their answers. */
  readonly accepted: Uint32Array;
  /** Of those: from when it was due (on schedule) or sent. */
  readonly latenciesMs: Float64Array;
  /** By status; 0: the connection broke. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Second by second. */
  readonly seconds: readonly { readonly accepted: number; readonly refused: number; readonly p99Ms: number }[];
}

/** Sends by the plan, from a process of its own. */
export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const generator = fork(GENERATOR, { serialization: "advanced" });
  generator.send(plan);
  const answered = once(generator, "message");
  const ended = once(generator, "exit").then(([code]) => {
    throw new Error(`the generator ended early (${code})`);
  });
  ended.catch(() => {});
  const [result] = (await Promise.race([answered, ended])) as [LoadResult];
  return result;
}

const GENERATOR = fileURLToPath(new URL("generator.ts", import.meta.url));
