import { AppError, RepeatErasures, RepeatedErasures, RestoreStatus } from "@patchbay/shared";
import { defineRoute } from "../define-route.ts";

interface By {
  readonly requestId: string;
  readonly clientAddress: string | null;
}

interface Deps {
  readonly status: () => Promise<RestoreStatus>;
  /** @returns whether it was held */
  readonly confirm: (by: By) => Promise<boolean>;
  readonly repeatErasures: (input: By & { readonly tenantRefs: readonly string[] }) => Promise<RepeatedErasures>;
}

/** After a restore from a backup: what to know, and the word that lets everything go on. */
export const restoreRoutes = (deps: Deps) => [
  defineRoute(
    {
      method: "get",
      path: "/admin/v1/restore",
      summary: "See whether a restore waits for confirmation, and whose tokens may be dead",
      tag: "Operator",
      scope: null,
      request: {},
      responses: { 200: RestoreStatus },
    },
    async (c) => c.json(await deps.status()),
  ),
  defineRoute(
    {
      method: "post",
      path: "/admin/v1/restore/confirm",
      summary: "Confirm a restore: deliveries, refreshes and syncs go on",
      tag: "Operator",
      scope: null,
      audited: "byHandler",
      request: {},
      responses: { 200: RestoreStatus },
    },
    async (c) => {
      const wasHeld = await deps.confirm({ requestId: c.get("requestId"), clientAddress: c.get("clientAddress") });
      if (!wasHeld) throw nothingHeld();
      return c.json(await deps.status());
    },
  ),
  defineRoute(
    {
      method: "post",
      path: "/admin/v1/restore/erasures",
      summary: "Erase again the tenants whose erasure came after the backup",
      tag: "Operator",
      scope: null,
      audited: "byHandler",
      request: { body: RepeatErasures },
      responses: { 200: RepeatedErasures },
    },
    async (c, { body }) => {
      if (!(await deps.status()).held) throw nothingHeld();
      const by = { requestId: c.get("requestId"), clientAddress: c.get("clientAddress") };
      return c.json(await deps.repeatErasures({ ...by, ...body }));
    },
  ),
];

function nothingHeld(): AppError {
  return new AppError("conflict", "no restore waits for confirmation");
}
