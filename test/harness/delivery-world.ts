import { decodeId, type EventId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase } from "./database.ts";
import { createAudit } from "../../packages/backend/src/domain/audit/index.ts";
import { appendEvents, type NewEvent } from "../../packages/backend/src/domain/events/index.ts";
import { createLocalKeyFile, createVault, openLocalKeys } from "../../packages/backend/src/domain/vault/index.ts";
import { createWorkspace, putTenant, tenantRef } from "../../packages/backend/src/domain/workspaces/index.ts";
import { NIL_UUID, openDatabase } from "../../packages/backend/src/platform/db/index.ts";
import { createEgress, type Egress } from "../../packages/backend/src/platform/egress/index.ts";
import { createLaneWorker, createWake } from "../../packages/backend/src/platform/lanes/index.ts";
import { silentLogger } from "../../packages/backend/src/platform/observability/index.ts";
import { createDelivery } from "../../packages/backend/src/products/delivery/index.ts";

export type World = Awaited<ReturnType<typeof createWorld>>;
const CONNECTIONS_MAX = 10;
const DEADLINE_MS = 1_500;

/** The module on a database of its own, with real lanes, vault and egress, and a clock that only tests move. */
export async function createWorld() {
  const testDatabase = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), "patchbay-delivery-"));
  const keyFile = join(folder, "keys");
  await createLocalKeyFile(keyFile);
  const database = openDatabase(testDatabase.connection, CONNECTIONS_MAX);
  const app = database.as("patchbay_app");
  const worker = database.as("patchbay_worker");
  const clock = movableClock();
  const wake = await createWake({ log: silentLogger, database: null });
  const keys = await openLocalKeys(keyFile);
  const vault = createVault({ withWorkspace: app.withWorkspace, keys, clock });
  const egress = createEgress({ log: silentLogger });
  const endpointOrigins: string[] = [];
  const log = silentLogger;
  /** Shorter than the product's, so that a slow receiver is found out soon. */
  const impatient: Pick<Egress, "request"> = {
    request: (request) => egress.request({ ...request, deadlineMs: DEADLINE_MS }),
  };
  const audit = createAudit({ withWorkspace: app.withWorkspace, vault, clock });
  const deps = {
    app,
    worker,
    vault,
    audit,
    egress: impatient,
    endpointOrigins,
    retentionDays: 30,
    clock,
    random: () => 0.5,
    wake,
    log,
  };
  const delivery = createDelivery(deps);
  const lanes = createLaneWorker({
    database: worker,
    kind: "delivery",
    handle: delivery.handleLane,
    lanesMax: 4,
    itemsPerLane: 64,
    clock,
    wake,
    log,
  });
  const replayLanes = createLaneWorker({
    database: worker,
    kind: "deliveryReplay",
    handle: delivery.handleLane,
    lanesMax: 2,
    itemsPerLane: 64,
    clock,
    wake,
    log,
  });
  const receivers: { close(): Promise<void> }[] = [];

  return {
    sql: testDatabase.sql,
    deps,
    delivery,
    clock,
    /** Sequences and delivers in the background from now on. */
    start() {
      delivery.sequencer.start();
      lanes.start();
      replayLanes.start();
    },
    aWorkspace: async (mode: "live" | "test" = "test") => {
      const workspace = await createWorkspace({ ...app, clock }, { name: "acme inc", mode });
      const workspaceId = decodeId("ws", workspace.id);
      if (workspaceId === null) throw new Error("a workspace without an id");
      return workspaceId;
    },
    /** Moves the clock and has lanes looked at. */
    pass(ms: number) {
      clock.advance(ms);
      wake.poke("lanes:delivery");
      wake.poke("lanes:deliveryReplay");
    },
    aTenant: async (workspaceId: WorkspaceId, id: string) => {
      await putTenant({ ...app, clock }, { workspaceId, id, body: {} });
      return app.withWorkspace(workspaceId, (tx) => tenantRef(tx, { workspaceId, id }));
    },
    async append(events: readonly NewEvent[]): Promise<readonly EventId[]> {
      const [first] = events;
      if (first === undefined) return [];
      const { workspaceId, tenantUid } = first;
      const sealer = await vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
      const ids = await app.withWorkspace(workspaceId, (tx) => appendEvents(tx, sealer, events));
      wake.poke("events");
      return ids;
    },
    /** A host that answers as told, one answer per request, the last one for ever. */
    aReceiver: async (...answers: readonly Answer[]) => {
      const receiver = await openReceiver(answers);
      receivers.push(receiver);
      endpointOrigins.push(new URL(receiver.url).origin);
      return receiver;
    },
    async close() {
      await Promise.all([delivery.sequencer.stop(), lanes.stop(), replayLanes.stop()]);
      await Promise.all(receivers.map((receiver) => receiver.close()));
      await egress.close();
      await wake.close();
      await database.close();
      await testDatabase.drop();
      await rm(folder, { recursive: true });
    },
  };
}

/** An event that says nothing in particular, unless told what: its data need not be of its type. */
export function anEvent(
  workspaceId: WorkspaceId,
  given: Partial<Omit<NewEvent, "type" | "data">> & {
    readonly type?: NewEvent["type"];
    readonly data?: Readonly<Record<string, unknown>>;
  } = {},
): NewEvent {
  const event = {
    workspaceId,
    tenantUid: NIL_UUID as TenantUid,
    tenantExternalId: null,
    connection: null,
    type: "run.completed",
    mode: "test",
    occurredAt: new Date("2026-10-01T12:00:00Z"),
    data: {},
    ...given,
  };
  // What is told does not matter where it is only carried.
  return event as unknown as NewEvent;
}

export type Answer =
  | number
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** Awaited before the answer. */
      readonly before?: () => Promise<unknown>;
    };

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function openReceiver(answers: readonly Answer[]) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      void answer(response, answers[Math.min(received.length, answers.length) - 1] ?? 200);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return {
    url: `http://127.0.0.1:${address.port}/webhooks`,
    received,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function answer(response: ServerResponse, given: Answer): Promise<void> {
  const { status, headers, body, before } = typeof given === "number" ? { status: given } : { ...given };
  await before?.();
  response.writeHead(status, headers).end(body);
}

function movableClock() {
  let offsetMs = 0;
  return {
    now: () => new Date(Date.now() + offsetMs),
    /** Lets this much time pass. */
    advance(ms: number) {
      offsetMs += ms;
    },
  };
}
