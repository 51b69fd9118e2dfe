import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A delivery that was verified. */
export interface Receipt {
  readonly path: string;
  readonly eventId: string;
  readonly tenantId: string | null;
  /** Of record events: the provider's id of the record. */
  readonly remoteId: string | null;
  /** By the clock, with fractions. */
  readonly atMs: number;
}

export type SinkOrder =
  | { readonly kind: "bind"; readonly path: string; readonly secret: string }
  | { readonly kind: "count" | "look" | "take" };

/** A host in a process of its own; what its paths do is said in `sink.ts`. */
export interface Sink {
  readonly origin: string;
  bind(path: string, secret: string): void;
  /** How many came so far, repeated ones too. */
  count(): Promise<number>;
  /** All that came so far. */
  look(): Promise<readonly Receipt[]>;
  /** The same, and begins anew. */
  take(): Promise<readonly Receipt[]>;
  close(): Promise<void>;
}

export async function startSink(): Promise<Sink> {
  const child = fork(fileURLToPath(new URL("sink.ts", import.meta.url)), { serialization: "advanced" });
  const [origin] = (await once(child, "message")) as [string];
  const ask = async <Answer>(kind: "count" | "look" | "take") => {
    child.send({ kind } satisfies SinkOrder);
    const [answer] = (await once(child, "message")) as [Answer];
    return answer;
  };
  return {
    origin,
    bind: (path, secret) => void child.send({ kind: "bind", path, secret } satisfies SinkOrder),
    count: () => ask<number>("count"),
    look: () => ask<readonly Receipt[]>("look"),
    take: () => ask<readonly Receipt[]>("take"),
    async close() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
