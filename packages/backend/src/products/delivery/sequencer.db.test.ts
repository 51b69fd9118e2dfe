import { newId } from "../../platform/runtime/index.ts";
import type { RecordId, WorkspaceId } from "@patchbay/shared";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { appendEvents } from "../../domain/events/index.ts";
import type { RoleDatabase } from "../../platform/db/index.ts";
import { sequenceBatch } from "./sequence-batch.ts";
import { createSequencer } from "./sequencer.ts";
import { anEvent, createWorld, type World } from "../../../../../test/harness/delivery-world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

describe("sequenceBatch", () => {
  test("numbers events from 1 without gaps, and nothing twice", async () => {
    const workspaceId = await world.aWorkspace();
    const ids = await world.append([anEvent(workspaceId), anEvent(workspaceId), anEvent(workspaceId)]);
    expect(await sequenceBatch(world.deps, workspaceId)).toEqual({ events: 3, deliveries: 0, more: false });
    expect(await sequenceBatch(world.deps, workspaceId)).toEqual({ events: 0, deliveries: 0, more: false });
    expect(await positions(workspaceId)).toEqual([1, 2, 3]);
    expect((await idsInOrder(workspaceId)).toSorted()).toEqual(ids.toSorted());
  });

  test("leaves a marker while more events wait than one batch holds", async () => {
    const workspaceId = await world.aWorkspace();
    await world.append(Array.from({ length: 7 }, () => anEvent(workspaceId)));
    expect((await sequenceBatch(world.deps, workspaceId, 3)).more).toBe(true);
    expect(await markers(workspaceId)).toBe(1);
    while ((await sequenceBatch(world.deps, workspaceId, 3)).more);
    expect(await markers(workspaceId)).toBe(0);
    expect(await positions(workspaceId)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("pulls lower versions of a record into the batch, before the higher one", async () => {
    const workspaceId = await world.aWorkspace();
    const recordId = newId<RecordId>();
    const version = (number: number) =>
      anEvent(workspaceId, { type: "order.updated", record: { id: recordId, model: "order", version: number } });
    await world.append([version(3)]);
    await world.append([anEvent(workspaceId)]);
    // Their ids are younger: the process that made them had the faster clock.
    await world.append([version(1)]);
    await world.append([version(2)]);
    await sequenceBatch(world.deps, workspaceId, 1);
    const rows = await world.sql<{ record_version: number }[]>`
      select record_version from events where workspace_id = ${workspaceId} and position is not null order by position`;
    expect(rows.map((row) => row.record_version)).toEqual([1, 2, 3]);
  });

  test("leaves everything as it was when its transaction fails", async () => {
    const workspaceId = await world.aWorkspace();
    await world.append([anEvent(workspaceId)]);
    const dying: RoleDatabase = {
      ...world.deps.worker,
      withWorkspace: (id, work) =>
        world.deps.worker.withWorkspace(id, async (tx) => {
          await work(tx);
          throw new Error("killed before the commit");
        }),
    };
    await expect(sequenceBatch({ ...world.deps, worker: dying }, workspaceId)).rejects.toThrow("killed");
    expect(await markers(workspaceId)).toBe(1);
    await sequenceBatch(world.deps, workspaceId);
    expect(await positions(workspaceId)).toEqual([1]);
  });
});

describe("sequencers", () => {
  test("wait for each other at the head of a workspace", async () => {
    const workspaceId = await world.aWorkspace();
    const worked = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const slow: RoleDatabase = {
      ...world.deps.worker,
      withWorkspace: (id, work) =>
        world.deps.worker.withWorkspace(id, async (tx) => {
          const result = await work(tx);
          worked.resolve();
          await commit.promise;
          return result;
        }),
    };
    await world.append([anEvent(workspaceId)]);
    await sequenceBatch(world.deps, workspaceId);
    await world.append([anEvent(workspaceId)]);
    const first = sequenceBatch({ ...world.deps, worker: slow }, workspaceId);
    await worked.promise;
    await world.append([anEvent(workspaceId)]);
    const second = sequenceBatch(world.deps, workspaceId);
    const waiting = () =>
      world.sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await waitFor(async () => (await waiting()).length > 0, { what: "the second to wait" });
    commit.resolve();
    expect([(await first).events, (await second).events]).toEqual([1, 1]);
    expect(await positions(workspaceId)).toEqual([1, 2, 3]);
  });

  test("skip nothing that commits late, with two of them and many appenders", async () => {
    const workspaceId = await world.aWorkspace();
    const sealer = await world.deps.vault.sealer({
      workspaceId,
      tenantUid: anEvent(workspaceId).tenantUid,
      purpose: "payload",
    });
    const late = Promise.withResolvers<void>();
    const appended = Promise.withResolvers<void>();
    // Its ids are older than all others', and its commit comes last.
    const held = world.deps.app.withWorkspace(workspaceId, async (tx) => {
      await appendEvents(tx, sealer, [anEvent(workspaceId), anEvent(workspaceId)]);
      appended.resolve();
      await late.promise;
    });
    await appended.promise;

    const sequencers = [1, 2].map(() => createSequencer({ ...world.deps }));
    for (const sequencer of sequencers) sequencer.start();
    const appenders = Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 10; i++) await world.append([anEvent(workspaceId), anEvent(workspaceId)]);
    });
    await Promise.all(appenders);
    await waitFor(async () => (await positions(workspaceId)).length === 80, { what: "80 positions" });
    const before = await idsInOrder(workspaceId);
    late.resolve();
    await held;
    world.deps.wake.poke("events");
    await waitFor(async () => (await positions(workspaceId)).length === 82, { what: "82 positions" });
    for (const sequencer of sequencers) await sequencer.stop();

    expect(await positions(workspaceId)).toEqual(Array.from({ length: 82 }, (_, index) => index + 1));
    expect((await idsInOrder(workspaceId)).slice(0, 80)).toEqual(before);
    expect(await markers(workspaceId)).toBe(0);
  });

  test("find a workspace by polling when the wake-up was lost", async () => {
    const workspaceId = await world.aWorkspace();
    const deaf = { poke: () => {}, on: () => () => {}, hearing: () => false };
    const sequencer = createSequencer({ ...world.deps, wake: deaf });
    sequencer.start();
    await world.append([anEvent(workspaceId)]);
    await waitFor(async () => (await positions(workspaceId)).length === 1, { what: "a position" });
    await sequencer.stop();
  });
});

describe("fan-out", () => {
  test("makes one delivery for each endpoint that wants an event, from when it was made", async () => {
    const workspaceId = await world.aWorkspace();
    const { url } = await world.aReceiver(200);
    await world.append([anEvent(workspaceId)]);
    await sequenceBatch(world.deps, workspaceId);
    await world.delivery.endpoints.create({ workspaceId, body: { url } });
    await world.delivery.endpoints.create({ workspaceId, body: { url, types: ["order.*"] } });
    await world.append([anEvent(workspaceId), anEvent(workspaceId)]);
    expect(await sequenceBatch(world.deps, workspaceId)).toEqual({ events: 2, deliveries: 2, more: false });
    const rows = await world.sql<{ position: string }[]>`
      select position from deliveries where workspace_id = ${workspaceId} order by id`;
    expect(rows.map((row) => Number(row.position))).toEqual([2, 3]);
  });
});

async function positions(workspaceId: WorkspaceId): Promise<number[]> {
  const rows = await world.sql<{ position: string }[]>`
    select position from events where workspace_id = ${workspaceId} and position is not null order by position`;
  return rows.map((row) => Number(row.position));
}

async function idsInOrder(workspaceId: WorkspaceId): Promise<string[]> {
  const rows = await world.sql<{ id: string }[]>`
    select id from events where workspace_id = ${workspaceId} and position is not null order by position`;
  return rows.map((row) => row.id);
}

async function markers(workspaceId: WorkspaceId): Promise<number> {
  const rows = await world.sql`select 1 from queue.unsequenced where workspace_id = ${workspaceId}`;
  return rows.length;
}
