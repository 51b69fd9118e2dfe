import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../../platform/observability/index.ts";
import type { Place } from "../envelope.ts";
import { createRotationKit, type RotationKit } from "../testing/rotation-kit.ts";
import { keyStatus } from "./key-status.ts";
import { rotateKek } from "./rotate-kek.ts";
import { createNodeReport } from "./vault-nodes.ts";

const PLACE: Place = { table: "records", rowId: "row", column: "raw", rowVersion: 1 };
const PLAIN = Buffer.from("what the provider sent");
const WORKSPACES = 5;

let kit: RotationKit;
let sealed: { readonly workspaceId: WorkspaceId; readonly value: Uint8Array }[] = [];

beforeAll(async () => {
  kit = await createRotationKit();
});
afterAll(() => kit.close());
beforeEach(async () => {
  await kit.sql`truncate workspace_keys, data_keys, queue.workspaces, vault_nodes`;
  sealed = [];
  for (let made = 0; made < WORKSPACES; made++) {
    const workspaceId = await kit.aWorkspace();
    const sealer = await kit.aVault().sealer({ workspaceId, tenantUid: tenant(), purpose: "payload" });
    sealed.push({ workspaceId, value: sealer.seal(PLACE, PLAIN) });
  }
});

test("moves every workspace to the primary version, after which the old key is needed no more", async () => {
  const steps: string[] = [];
  const progress = ({ done, total }: { done: number; total: number }) => steps.push(`${done} of ${total}`);
  const result = await rotateKek(kit.deps(await kit.keyFile("2", "1")), progress);
  expect(result).toMatchObject({
    renewed: WORKSPACES,
    damaged: [],
    retirable: [{ provider: "local", version: "1" }],
  });
  expect(steps.at(-1)).toBe(`${WORKSPACES} of ${WORKSPACES}`);
  await expectAllOpen(await kit.keyFile("2"));
});

test("does nothing the second time", async () => {
  const keys = await kit.keyFile("2", "1");
  await rotateKek(kit.deps(keys));
  const before = await kit.sql`select * from workspace_keys order by id`;
  expect(await rotateKek(kit.deps(keys))).toMatchObject({ renewed: 0 });
  expect(await kit.sql`select * from workspace_keys order by id`).toEqual(before);
});

test("run three times at once, each key is wrapped anew by one of them", async () => {
  const deps = kit.deps(await kit.keyFile("2", "1"));
  const results = await Promise.all([1, 2, 3].map(() => rotateKek(deps)));
  expect(results.reduce((sum, result) => sum + result.renewed, 0)).toBe(WORKSPACES);
  await expectAllOpen(await kit.keyFile("2"));
});

test("refuses while a running process lacks the new key, and says which", async () => {
  const node = createNodeReport({ ...kit.worker, keys: await kit.keyFile("1"), log: silentLogger });
  await node.start();
  const deps = kit.deps(await kit.keyFile("2", "1"));
  await expect(rotateKek(deps)).rejects.toThrow(/process \S+ does not hold the key "local 2"/);
  expect((await keyStatus(deps)).pending).toBe(WORKSPACES);
  await node.stop();
  expect(await rotateKek(deps)).toMatchObject({ renewed: WORKSPACES });
});

test("refuses while a running process wraps new keys with the old one", async () => {
  const node = createNodeReport({ ...kit.worker, keys: await kit.keyFile("1", "2"), log: silentLogger });
  await node.start();
  await expect(rotateKek(kit.deps(await kit.keyFile("2", "1")))).rejects.toThrow('still wraps new keys with "local 1"');
  await node.stop();
});

test("does not wait for a process that has not been seen for long", async () => {
  await kit.sql`insert into vault_nodes values (gen_random_uuid(), '{local 1}', now(), now() - interval '46 seconds')`;
  expect(await rotateKek(kit.deps(await kit.keyFile("2", "1")))).toMatchObject({ renewed: WORKSPACES });
});

test("goes past a damaged key and names it", async () => {
  const [first] = sealed;
  await kit.sql`update workspace_keys set wrapped = set_bit(wrapped, 77, 1 - get_bit(wrapped, 77))
                where workspace_id = ${first?.workspaceId ?? ""}`;
  const result = await rotateKek(kit.deps(await kit.keyFile("2", "1")));
  expect(result).toMatchObject({ renewed: WORKSPACES - 1, retirable: [] });
  expect(result.damaged).toHaveLength(1);
});

test("stops with a sentence when the old key is not configured", async () => {
  await expect(rotateKek(kit.deps(await kit.keyFile("2")))).rejects.toThrow("lacks version 1");
});

test("shows how the keys stand", async () => {
  expect(await keyStatus(kit.deps(await kit.keyFile("2", "1")))).toMatchObject({
    versions: [
      { provider: "local", version: "2", primary: true, configured: true, rows: 0 },
      { provider: "local", version: "1", primary: false, configured: true, rows: WORKSPACES },
    ],
    pending: WORKSPACES,
    dataKeys: { active: WORKSPACES, decrypt_only: 0, destroyed: 0 },
    rotations: [],
  });
});

async function expectAllOpen(keys: Awaited<ReturnType<RotationKit["keyFile"]>>) {
  for (const { workspaceId, value } of sealed) {
    expect(await kit.aVault(keys).open(workspaceId, PLACE, value)).toEqual(PLAIN);
  }
}

function tenant(): TenantUid {
  return kit.aTenant();
}
