/**
 * Small, real breaks of the product, each of a kind that reviews let pass. They are put into the source text of a child
 * process as it is loaded; the checker must find every one of them.
 */
export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
}

export interface Edit {
  /** Below `packages/backend/src/`. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly from: string;
  readonly to: string;
}

/** @throws Error when the text to replace is not there exactly once: the product has moved on, and the mutant must follow */
export function mutate(mutant: Mutant, file: string, source: string): string {
  return mutant.edits
    .filter((edit) => edit.file === file)
    .reduce((text, { from, to }) => {
      const parts = text.split(from);
      if (parts.length !== 2) {
        throw new Error(
          `mutant ${mutant.name}: ${file} holds its text ${parts.length - 1} times; put it in step with the product (test/crash/mutants/mutants.ts)`,
        );
      }
      return parts.join(to);
    }, source);
}

export function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined) throw new Error(`no mutant ${name}`);
  return mutant;
}

const CLAIM = "platform/lanes/claim.ts";
const ROUTE = "products/ingest/router/route-batch.ts";
const HANDLE = "products/delivery/handle-lane.ts";
const SEQUENCE = "products/delivery/sequence-batch.ts";
const LEASE_IS_FREE = "(lease_until is null or lease_until <= ${now})";

export const MUTANTS = [
  {
    name: "acknowledged before the commit",
    edits: [
      {
        file: "products/ingest/inbox/inbox-writer.ts",
        from: "      enter(item);\n      startFlush();",
        to: "      enter(item);\n      startFlush();\n      resolve();",
      },
    ],
  },
  {
    name: "acknowledged though the commit failed",
    edits: [
      {
        file: "products/ingest/inbox/inbox-writer.ts",
        from: "for (const item of batch) item.reject(reason);",
        to: "for (const item of batch) item.resolve();",
      },
    ],
  },
  {
    name: "arrival ended before it was routed",
    edits: [
      {
        file: ROUTE,
        from: `  return deps.worker.withWorkspace(
    workspaceId,
    async (tx) => {
      const [held, known] = await sideBySide(claim.hold(tx), findConnections(tx, workspaceId, arrivals));
`,
        to: `  const nothing = { arrivals: 0, unreadable: 0, plan: planRoutes([], [], () => true, deps.connectorById) };
  const held = await deps.worker.withWorkspace(workspaceId, async (tx) => {
    const mine = await claim.hold(tx);
    await claim.end(tx, mine, nothing);
    return mine;
  });
  return deps.worker.withWorkspace(
    workspaceId,
    async (tx) => {
      const known = await findConnections(tx, workspaceId, arrivals);
`,
      },
      {
        file: ROUTE,
        from: "await sideBySide(markDirty(tx, workspaceId, plan.dirty, now), claim.end(tx, held, result));\n",
        to: "await markDirty(tx, workspaceId, plan.dirty, now);\n",
      },
    ],
  },
  {
    name: "mark cleared without its generation",
    edits: [
      {
        file: "products/ingest/fetcher/fetch-dirty.ts",
        from: " and m.remote_id = seen.remote_id and m.generation = seen.generation`",
        to: " and m.remote_id = seen.remote_id`",
      },
    ],
  },
  {
    name: "cursor saved before its page",
    edits: [
      {
        file: "products/ingest/runs/read-page.ts",
        from: "  let after = context;\n",
        to: `  let after = context;
  await deps.worker.withWorkspace(row.workspaceId, async (tx) => {
    await lane.fence(tx);
    await saveRun(tx, context, {}, withResource(context.state, resource.name, changes));
  });\n`,
      },
    ],
  },
  {
    name: "items settled without the fence",
    edits: [
      {
        file: "platform/lanes/settle.ts",
        from: "  if (held.length < leases.length) throw new LeaseLost();\n",
        to: "",
      },
    ],
  },
  {
    name: "records written without the fence",
    edits: [
      {
        file: "products/ingest/apply-read.ts",
        from: "          await lane.fence(tx);\n          await inSameTx",
        to: "          await inSameTx",
      },
    ],
  },
  {
    name: "lease released by whoever had it once",
    edits: [
      {
        file: "platform/lanes/release.ts",
        from: "new Set(await holdLanes(tx, leases, how.busy));\n",
        to: "new Set(leases);\n",
      },
      {
        file: "platform/lanes/release.ts",
        from: "mine.tenant_uid)\n      and l.lease_token = mine.token`",
        to: "mine.tenant_uid)`",
      },
    ],
  },
  {
    name: "leases never looked at",
    edits: [
      { file: CLAIM, from: `and next_at <= \${now} and ${LEASE_IS_FREE}\n`, to: "and next_at <= ${now}\n" },
      {
        file: CLAIM,
        from: "and l.next_at <= ${now} and (l.lease_until is null or l.lease_until <= ${now})",
        to: "and l.next_at <= ${now}",
      },
    ],
  },
  {
    name: "delivery done before it is sent",
    edits: [
      {
        file: HANDLE,
        from: 'import { endpoints } from "./tables.ts";',
        to: 'import { deliveries, endpoints } from "./tables.ts";',
      },
      {
        file: HANDLE,
        from: "    const { eventId } = delivery;\n    const attempt = await",
        to: `    const { eventId } = delivery;
    await deps.worker.withWorkspace(workspaceId, async (tx) => {
      await tx.update(deliveries).set({ status: "delivered", nextAttemptAt: null })
        .where(and(eq(deliveries.workspaceId, workspaceId), eq(deliveries.id, delivery.id)));
      await lane.settle(tx, [{ id: delivery.id, outcome: "done" }]);
    });
    const attempt = await`,
      },
    ],
  },
  {
    name: "events of a disabled endpoint dropped",
    edits: [
      {
        file: SEQUENCE,
        from: "          event.position > endpoint.sincePosition &&\n",
        to: '          endpoint.status === "enabled" && event.position > endpoint.sincePosition &&\n',
      },
    ],
  },
  {
    name: "sequencer skips locked events",
    edits: [
      {
        file: SEQUENCE,
        from: ".where(isWaiting(workspaceId)).orderBy(asc(events.id)).limit(limit);",
        to: '.where(isWaiting(workspaceId)).orderBy(asc(events.id)).limit(limit).for("update", { skipLocked: true });',
      },
    ],
  },
  {
    name: "sequencer not told of events",
    edits: [
      {
        file: "domain/events/append-events.ts",
        from: "    tx.insert(queueUnsequenced).values({ id: newId(), workspaceId: first.workspaceId }),\n",
        to: "",
      },
    ],
  },
  {
    name: "deleted endpoints still told",
    edits: [
      {
        file: SEQUENCE,
        from: ".where(and(eq(endpoints.workspaceId, workspaceId), isNull(endpoints.deletedAt)));",
        to: ".where(eq(endpoints.workspaceId, workspaceId));",
      },
      {
        file: "products/delivery/find-endpoints.ts",
        from: "isOneOf(endpoints.id, ids), isNull(endpoints.deletedAt)))",
        to: "isOneOf(endpoints.id, ids)))",
      },
    ],
  },
] as const satisfies readonly Mutant[];

export type MutantName = (typeof MUTANTS)[number]["name"];
