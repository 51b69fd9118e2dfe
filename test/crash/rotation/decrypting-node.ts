/** `decrypting-node.ts <plan.json>`: a process of the product that does nothing but open sealed values, at a given rate. */
import type { WorkspaceId } from "@patchbay/shared";
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { createNodeReport, createVault, openLocalKeys } from "../../../packages/backend/src/domain/vault/index.ts";
import { openDatabase, type ConnectionOptions } from "../../../packages/backend/src/platform/db/index.ts";
import { silentLogger } from "../../../packages/backend/src/platform/observability/index.ts";
import { systemClock } from "../../../packages/backend/src/platform/runtime/index.ts";

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
  readonly failed: readonly string[];
  readonly slowestMs: number;
}

export const PLACE = { table: "records", rowId: "row", column: "raw", rowVersion: 1 } as const;
export const PLAIN = "what the provider sent";
const CONNECTIONS = 6;

const planFile = process.argv[2];
if (planFile !== undefined && process.argv[1]?.endsWith("decrypting-node.ts") === true) await run(planFile);

async function run(file: string): Promise<void> {
  const plan = JSON.parse(await readFile(file, "utf8")) as NodePlan;
  const database = openDatabase(plan.connection, CONNECTIONS);
  const { withWorkspace, withQueue } = database.as("patchbay_worker");
  const keys = await openLocalKeys(plan.keyFile);
  const report = createNodeReport({ withQueue, keys, log: silentLogger });
  await report.start();
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
    const startedMs = performance.now();
    try {
      // Nothing is remembered: each time the key-encryption key is asked.
      const vault = createVault({ withWorkspace, keys, clock: systemClock });
      const plain = await vault.open(value.workspaceId, PLACE, Buffer.from(value.sealed, "base64"));
      if (Buffer.from(plain).toString() !== PLAIN) throw new Error("another value");
      opened += 1;
    } catch (error) {
      failed.push(String(error));
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  }

  while (!stopped) {
    const one = openOne();
    running.add(one);
    void one.finally(() => running.delete(one));
    await delay(1_000 / plan.perSecond);
  }
  await Promise.all(running);
  await report.stop();
  await database.close();
  const result: NodeResult = { opened, failed: failed.slice(0, 20), slowestMs: Math.round(slowestMs) };
  await writeFile(plan.resultFile, JSON.stringify(result));
}
