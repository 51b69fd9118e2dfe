/** `decrypting-node.ts <plan.json>`: a process of the product that does nothing but open sealed values, at a given rate. */
import type { WorkspaceId } from "@patchbay/shared";
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import {
  createNodeReport,
  createVault,
  openLocalKeys,
  type Keys,
} from "../../../packages/backend/src/domain/vault/index.ts";
import { openDatabase, type ConnectionOptions } from "../../../packages/backend/src/platform/db/index.ts";
import { silentLogger } from "../../../packages/backend/src/platform/observability/index.ts";
import type { Clock } from "../../../packages/backend/src/platform/runtime/index.ts";

export interface NodePlan {
  readonly connection: ConnectionOptions;
  readonly keyFile: string;
  readonly perSecond: number;
  readonly values: readonly { readonly workspaceId: WorkspaceId; readonly sealed: string }[];
  /** Gets a {@link NodeResult} at the end. */
  readonly resultFile: string;
}

export interface NodeResult {
  readonly opened: number;
  /** How often a workspace key was unwrapped with the key-encryption key. */
  readonly unwrapped: number;
  readonly failed: readonly string[];
  readonly slowestMs: number;
}

export const PLACE = { table: "records", rowId: "row", column: "raw", rowVersion: 1 } as const;
export const PLAIN = "what the provider sent";
const CONNECTIONS = 6;
/** What a machine that is too slow for the rate does not get to is left out; it shows in how many were opened. */
const AT_ONCE_MAX = 100;
const HOUR_MS = 3_600_000;

const planFile = process.argv[2];
if (planFile !== undefined && process.argv[1]?.endsWith("decrypting-node.ts") === true) await run(planFile);

async function run(file: string): Promise<void> {
  const plan = JSON.parse(await readFile(file, "utf8")) as NodePlan;
  const database = openDatabase(plan.connection, CONNECTIONS);
  const { withWorkspace, withQueue } = database.as("patchbay_worker");
  const keys = await openLocalKeys(plan.keyFile);
  const report = createNodeReport({ withQueue, keys, log: silentLogger });
  await report.start();
  // One vault, as the product has: each holds room for 20,000 keys. To it an hour passes between two openings, so that
  // it remembers nothing and the key-encryption key is asked each time.
  let openings = 0;
  let unwrapped = 0;
  const clock: Clock = { now: () => new Date(Date.now() + openings * HOUR_MS) };
  const counting: Keys = {
    ...keys,
    async unwrap(held, context) {
      unwrapped += 1;
      return keys.unwrap(held, context);
    },
  };
  const vault = createVault({ withWorkspace, keys: counting, clock });
  const failed: string[] = [];
  const running = new Set<Promise<void>>();
  let opened = 0;
  let slowestMs = 0;
  let stopped = false;
  process.once("SIGTERM", () => (stopped = true));
  process.stdout.write("decrypting\n");

  async function openOne(): Promise<void> {
    const value = plan.values[Math.floor(Math.random() * plan.values.length)];
    if (value === undefined) return;
    openings += 1;
    const startedMs = performance.now();
    try {
      const plain = await vault.open(value.workspaceId, PLACE, Buffer.from(value.sealed, "base64"));
      if (Buffer.from(plain).toString() !== PLAIN) throw new Error("another value");
      opened += 1;
    } catch (error) {
      failed.push(String(error));
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  }

  for (let dueMs = performance.now(); !stopped; dueMs += 1_000 / plan.perSecond) {
    await delay(Math.max(0, dueMs - performance.now()));
    if (running.size < AT_ONCE_MAX) {
      const one = openOne();
      running.add(one);
      void one.finally(() => running.delete(one));
    }
  }
  await Promise.all(running);
  await report.stop();
  await database.close();
  const result: NodeResult = { opened, unwrapped, failed: failed.slice(0, 20), slowestMs: Math.round(slowestMs) };
  await writeFile(plan.resultFile, JSON.stringify(result));
}
