import { AppError, type InboxId, type SourceId, type WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { WithWorkspace } from "../../../../platform/db/index.ts";
import type { ArrivalRef } from "../../router/read-arrivals.ts";
import type { InboxRow } from "../append-inbox.ts";
import { inboxIdAt } from "../inbox-id.ts";
import type { InboxPort } from "../inbox-port.ts";

/** An adapter of {@link InboxPort} over a store of its own, and what a test may do to that store. */
export interface InboxGround {
  /** The adapter as a further process has it, with caches and connections of its own. */
  open(): { readonly port: InboxPort; readonly withWorkspace: WithWorkspace };
  /** Commits wait from now on. @returns how to let them on */
  stall(): Promise<() => Promise<void>>;
  /** Cuts every process off in the middle of whatever it does, as its death would. Those opened later are new ones. */
  crash(): Promise<void>;
  /** Of these, those that are on disk. */
  stored(ids: readonly InboxId[]): Promise<readonly InboxId[]>;
}

/** A store of the adapter's own, which a test may kill. */
export interface MortalGround extends Pick<InboxGround, "open" | "stored"> {
  /** Kills the store itself, whatever it is doing, and starts it again over what is on disk. */
  kill(): Promise<void>;
}

/** More than any adapter lets wait. */
const FLOOD = 2_600;
const DAY_MS = 86_400_000;

/** What every adapter of the inbox must do. Call it in a `describe`. */
export function inboxContract(ground: () => InboxGround): void {
  test("what was taken is on disk and due, in another process as well", async () => {
    const row = aRow();
    await ground().open().port.append(row);
    expect(await ground().stored([row.id])).toEqual([row.id]);
    expect(await dueOf(row.workspaceId)).toEqual([{ id: row.id, receivedAt: row.receivedAt, bytes: row.bodyBytes }]);
  });

  test("nothing is answered before it is on disk", async () => {
    const { port } = ground().open();
    const letOn = await ground().stall();
    const row = aRow();
    let answered = false;
    const appended = port.append(row).then(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answered).toBe(false);
    await letOn();
    await appended;
    expect(await ground().stored([row.id])).toEqual([row.id]);
  });

  test("more than fits is refused with a time to come back, and is not stored; all that was taken is", async () => {
    const { port } = ground().open();
    const rows = someRows(FLOOD);
    const results = await stalled(() => rows.map((row) => port.append(row)));
    const taken = rows.filter((_, at) => results[at]?.status === "fulfilled").map((row) => row.id);
    const refused = rows.filter((_, at) => results[at]?.status === "rejected").map((row) => row.id);
    expect(refused.length).toBeGreaterThan(0);
    expect(taken.length).toBeGreaterThan(0);
    for (const { reason } of results.filter((each) => each.status === "rejected")) {
      expect(reason).toBeInstanceOf(AppError);
      expect(reason).toMatchObject({ code: "overloaded", retryAfterSeconds: expect.any(Number) });
    }
    expect(new Set(await ground().stored(rows.map((row) => row.id)))).toEqual(new Set(taken));
  });

  test("a quiet source is taken while a noisy one floods: the noisy one is refused first", async () => {
    const { port } = ground().open();
    const noisy = someRows(FLOOD);
    const quiet = Array.from({ length: 10 }, () => aRow());
    const results = await stalled(() => [...noisy, ...quiet].map((row) => port.append(row)));
    expect(results.slice(FLOOD).map(({ status }) => status)).toEqual(quiet.map(() => "fulfilled"));
    expect(results.slice(0, FLOOD).some(({ status }) => status === "rejected")).toBe(true);
  });

  test("one that the store refuses stops no other of its batch", async () => {
    const { port } = ground().open();
    const good = someRows(20);
    const poison = aRow({ headers: { topic: "a\u0000b" } });
    const rows = [...good.slice(0, 10), poison, ...good.slice(10)];
    const results = await stalled(() => rows.map((row) => port.append(row)));
    expect(results.map(({ status }) => status)).toEqual(rows.map((row) => (row === poison ? "rejected" : "fulfilled")));
    const ids = rows.map((row) => row.id);
    expect(new Set(await ground().stored(ids))).toEqual(new Set(good.map((row) => row.id)));
    expect(await dueOf(...good.map((row) => row.workspaceId))).toHaveLength(good.length);
  });

  test("workspaces share batches and nothing else", async () => {
    const { port } = ground().open();
    const rows = Array.from({ length: 30 }, () => aRow());
    await stalled(() => rows.map((row) => port.append(row)));
    const due = await port.due(10_000);
    for (const row of rows) expect(due.get(row.workspaceId)?.map(({ id }) => id)).toEqual([row.id]);
  });

  test("what waits is due oldest first, and goes on being due until it is ended", async () => {
    const { port, withWorkspace } = ground().open();
    const workspaceId = randomUUID() as WorkspaceId;
    const rows = [3, 1, 2].map((n) => aRow({ workspaceId }, new Date(Date.now() - n * 60_000)));
    for (const row of rows) await port.append(row);
    const refs = await dueOf(workspaceId);
    expect(refs.map(({ id }) => id)).toEqual(rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((row) => row.id));
    await withWorkspace(workspaceId, async (tx) => port.end(tx, await port.hold(tx, refs.slice(0, 1))));
    expect(await dueOf(workspaceId)).toEqual(refs.slice(1));
  });

  test("what was held and not ended comes again", async () => {
    const { port, withWorkspace } = ground().open();
    const row = aRow();
    await port.append(row);
    const refs = await dueOf(row.workspaceId);
    const failing = withWorkspace(row.workspaceId, async (tx) => {
      await port.end(tx, await port.hold(tx, refs));
      throw new Error("routing failed");
    });
    await expect(failing).rejects.toThrow("routing failed");
    expect(await dueOf(row.workspaceId)).toEqual(refs);
  });

  test("is routed once when a router dies between its work and its commit", async () => {
    const dying = ground().open();
    const row = aRow();
    await dying.port.append(row);
    const refs = await dueOf(row.workspaceId);
    const killed = dying.withWorkspace(row.workspaceId, async (tx) => {
      await dying.port.end(tx, await dying.port.hold(tx, refs));
      await ground().crash();
    });
    await expect(killed).rejects.toThrow();
    expect(await routeAll(row.workspaceId)).toEqual([row.id]);
    expect(await dueOf(row.workspaceId)).toEqual([]);
  });

  test("loses nothing that it answered when it dies while it takes in", async () => {
    const { port } = ground().open();
    const rows = someRows(1_500);
    const appending = rows.map((row) => port.append(row));
    const settled = Promise.allSettled(appending);
    await appending[0];
    await ground().crash();
    const results = await settled;
    const answered = rows.filter((_, at) => results[at]?.status === "fulfilled").map((row) => row.id);
    const kept = new Set(await ground().stored(rows.map((row) => row.id)));
    expect(answered.filter((id) => !kept.has(id))).toEqual([]);
    // What was stored is routed, whether it was answered or not: the provider sends it again, as a copy.
    const [{ workspaceId } = aRow()] = rows;
    expect(new Set(await routeAll(workspaceId))).toEqual(kept);
  });

  test("several routers take each once", async () => {
    const { port } = ground().open();
    const rows = someRows(200);
    await Promise.all(rows.map((row) => port.append(row)));
    const [{ workspaceId } = aRow()] = rows;
    const routed = (await Promise.all([1, 2, 3].map(() => routeAll(workspaceId)))).flat();
    expect(routed.toSorted()).toEqual(rows.map((row) => row.id).toSorted());
  });

  test("what was put off comes later, counts its tries, and lets others pass; what was ended does not come back", async () => {
    const { port, withWorkspace } = ground().open();
    const workspaceId = randomUUID() as WorkspaceId;
    const [first, second] = [aRow({ workspaceId }), aRow({ workspaceId })];
    for (const row of [first, second]) await port.append(row);
    const putOff = () => withWorkspace(workspaceId, (tx) => port.putOff(tx, first, new Date(Date.now() + 60_000)));
    expect(await putOff()).toBe(1);
    expect(await putOff()).toBe(2);
    expect((await dueOf(workspaceId)).map(({ id }) => id)).toEqual([second.id]);
    await withWorkspace(workspaceId, (tx) => port.end(tx, new Set([first.id])));
    expect(await putOff()).toBeNull();
  });

  test.each([
    ["an hour ahead", 3_600_000],
    ["a year ahead", 365 * DAY_MS],
    ["a month behind", -31 * DAY_MS],
  ])("takes in and routes at once what a clock %s dates", async (_, aheadMs) => {
    const { port } = ground().open();
    const rows = [aRow({}, new Date(Date.now() + aheadMs)), aRow()];
    await stalled(() => rows.map((row) => port.append(row)));
    const ids = rows.map((row) => row.id);
    expect(new Set(await ground().stored(ids))).toEqual(new Set(ids));
    expect(await dueOf(...rows.map((row) => row.workspaceId))).toHaveLength(2);
  });

  /** Lets the appends gather behind one commit. */
  async function stalled(append: () => readonly Promise<void>[]): Promise<PromiseSettledResult<void>[]> {
    const letOn = await ground().stall();
    const results = Promise.allSettled(append());
    await letOn();
    return results;
  }

  async function dueOf(...workspaceIds: readonly WorkspaceId[]): Promise<readonly ArrivalRef[]> {
    const due = await ground().open().port.due(100_000);
    return [...new Set(workspaceIds)].flatMap((id) => due.get(id) ?? []);
  }

  /** As a router does, in a process of its own. @returns what it routed */
  async function routeAll(workspaceId: WorkspaceId): Promise<InboxId[]> {
    const { port, withWorkspace } = ground().open();
    const routed: InboxId[] = [];
    for (let refs = await take(port, workspaceId); refs.length > 0; refs = await take(port, workspaceId)) {
      const held = await withWorkspace(workspaceId, async (tx) => {
        const mine = await port.hold(tx, refs);
        await port.end(tx, mine);
        return mine;
      });
      routed.push(...held);
    }
    return routed;
  }

  async function take(port: InboxPort, workspaceId: WorkspaceId): Promise<readonly ArrivalRef[]> {
    return ((await port.due(100_000)).get(workspaceId) ?? []).slice(0, 50);
  }
}

/** What every adapter's store must do when it dies. Call it in a `describe`. */
export function inboxStoreContract(ground: () => MortalGround): void {
  test("loses nothing that it answered when the store is killed while it takes in", async () => {
    const { port } = ground().open();
    const rows = someRows(KILLED_AMONG);
    const answered = new Set<InboxId>();
    const halfWay = Promise.withResolvers<void>();
    const appending = rows.map(async (row) => {
      await port.append(row);
      answered.add(row.id);
      if (answered.size >= KILLED_AMONG / 4) halfWay.resolve();
    });
    const settled = Promise.allSettled(appending);
    await halfWay.promise;
    await ground().kill();
    await settled;
    expect(answered.size).toBeLessThan(rows.length);
    const kept = new Set(await ground().stored(rows.map((row) => row.id)));
    expect([...answered].filter((id) => !kept.has(id))).toEqual([]);
    const [{ workspaceId } = aRow()] = rows;
    const due = (await ground().open().port.due(100_000)).get(workspaceId) ?? [];
    expect(new Set(due.map(({ id }) => id))).toEqual(kept);
    const after = aRow();
    await ground().open().port.append(after);
    expect(await ground().stored([after.id])).toEqual([after.id]);
  });
}

/** As many as an adapter lets wait: the store dies in the middle of them. */
const KILLED_AMONG = 1_900;

/** Of one source. */
function someRows(count: number): readonly InboxRow[] {
  const { workspaceId, sourceId } = aRow();
  return Array.from({ length: count }, () => aRow({ workspaceId, sourceId }));
}

export function aRow(changed: Partial<InboxRow> = {}, receivedAt = new Date()): InboxRow {
  return {
    workspaceId: randomUUID() as WorkspaceId,
    id: inboxIdAt(receivedAt),
    receivedAt,
    sourceId: randomUUID() as SourceId,
    provider: "shopify",
    headers: {},
    body: Buffer.from([0, 1, 2, 255]),
    bodyKeyId: randomUUID() as InboxRow["bodyKeyId"],
    bodyBytes: 4,
    bodySha256: Buffer.alloc(32),
    secretIndex: 0,
    ...changed,
  };
}
