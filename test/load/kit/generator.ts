import { createHmac, createSecretKey } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { openSender, type Sender } from "./http-sender.ts";
import type { LoadPlan, LoadResult } from "./load-plan.ts";
import { orderBody } from "./order-body.ts";

/** A process of its own: takes a plan, sends webhooks by it, tells what came of each. */
process.once("message", (plan: LoadPlan) => {
  run(plan).then(
    (result) => process.send?.(result, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

/** Bodies are made and signed ahead where they may come again: what is measured is not the generator. */
const BODIES_AHEAD = 512;

async function run(plan: LoadPlan): Promise<LoadResult> {
  const render = createRenderer(plan);
  const sender = await openSender(plan.url, plan.connections);
  const log = createLog(plan);
  const startedAtMs = performance.timeOrigin + performance.now();
  if (plan.rate === null) await saturate(plan, sender, render, log);
  else await keepSchedule(plan, plan.rate, sender, render, log);
  const elapsedMs = performance.timeOrigin + performance.now() - startedAtMs;
  sender.close();
  return log.result(startedAtMs, elapsedMs);
}

/** Each connection sends its next as soon as it has its answer. */
async function saturate(plan: LoadPlan, sender: Sender, render: Render, log: Log): Promise<void> {
  const untilMs = performance.now() + plan.seconds * 1_000;
  let next = plan.from;
  const work = async () => {
    while (performance.now() < untilMs) {
      const n = next++;
      const sentMs = performance.now();
      log.note(n, sentMs, await sender.send(render(n)));
    }
  };
  await Promise.all(Array.from({ length: plan.connections }, work));
}

/** Sends what is due whether or not the former was answered; a late sending counts as waiting. */
async function keepSchedule(plan: LoadPlan, rate: number, sender: Sender, render: Render, log: Log): Promise<void> {
  const total = Math.round(rate * plan.seconds);
  const startMs = performance.now();
  const pending: Promise<void>[] = [];
  for (let i = 0; i < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) * rate) / 1_000) + 1);
    for (; i < due; i++) {
      const n = plan.from + i;
      const dueMs = startMs + (i * 1_000) / rate;
      pending.push(sender.send(render(n)).then((status) => log.note(n, dueMs, status)));
    }
    await delay(1);
  }
  await Promise.all(pending);
}

type Render = (n: number) => Buffer;

/** Request number n: an order of its own, or of a few hundred made ahead, under a webhook id of its own. */
function createRenderer(plan: LoadPlan): Render {
  const key = createSecretKey(Buffer.from(plan.secret));
  const { host } = new URL(plan.url);
  const make = (n: number): readonly [string, string] => {
    const body = orderBody(n);
    const signature = createHmac("sha256", key).update(body).digest("base64");
    const { path, shop } = plan.targets[n % plan.targets.length] ?? { path: "/", shop: "" };
    const head =
      `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `x-shopify-topic: ${plan.topic}\r\nx-shopify-shop-domain: ${shop}\r\nx-shopify-api-version: 2026-10\r\n` +
      `x-shopify-hmac-sha256: ${signature}\r\nx-shopify-webhook-id: `;
    return [head, `\r\n\r\n${body}`];
  };
  const ahead = plan.distinctOrders ? [] : Array.from({ length: BODIES_AHEAD }, (_, n) => make(n));
  return (n) => {
    const object = objectOf(plan, n);
    const [head, tail] = ahead[object % BODIES_AHEAD] ?? make(object);
    return Buffer.from(`${head}${plan.idPrefix}${object}${tail}`, "latin1");
  };
}

/** Every so many-th sending repeats an earlier one, id and all, as providers do when an answer got lost. */
function objectOf({ duplicateEvery, from }: LoadPlan, n: number): number {
  const place = n - from;
  if (duplicateEvery === 0 || place % duplicateEvery !== duplicateEvery - 1) return n;
  return n - 1 - (place % Math.min(place, REPEATED_AFTER_MAX));
}
const REPEATED_AFTER_MAX = 97;

type Log = ReturnType<typeof createLog>;

function createLog(plan: LoadPlan) {
  const accepted: number[] = [];
  const latenciesMs: number[] = [];
  const statuses: Record<string, number> = {};
  const seconds: { accepted: number; refused: number; latenciesMs: number[] }[] = [];
  let firstMs: number | null = null;
  return {
    note(n: number, fromMs: number, status: number): void {
      const nowMs = performance.now();
      firstMs ??= nowMs;
      statuses[status] = (statuses[status] ?? 0) + 1;
      const second = (seconds[Math.floor((nowMs - firstMs) / 1_000)] ??= { accepted: 0, refused: 0, latenciesMs: [] });
      if (status === 200) {
        accepted.push(objectOf(plan, n));
        latenciesMs.push(nowMs - fromMs);
        second.accepted += 1;
        second.latenciesMs.push(nowMs - fromMs);
      } else second.refused += 1;
    },
    result: (startedAtMs: number, elapsedMs: number): LoadResult => ({
      startedAtMs,
      elapsedMs,
      accepted: Uint32Array.from(accepted),
      latenciesMs: Float64Array.from(latenciesMs),
      statuses,
      seconds: Array.from(seconds, (second) => ({
        accepted: second?.accepted ?? 0,
        refused: second?.refused ?? 0,
        p99Ms: percentile(second?.latenciesMs ?? [], 0.99),
      })),
    }),
  };
}

function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
