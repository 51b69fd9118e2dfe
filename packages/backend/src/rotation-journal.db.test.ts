import { encodeId, type AuditEntry, type WorkspaceId } from "@patchbay/shared";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseConfig } from "./config.ts";
import { createAudit, readLog, verifyLog } from "./domain/audit/index.ts";
import { createRotationKit, type RotationKit } from "./domain/vault/testing/rotation-kit.ts";
import {
  GRACE_MS,
  rotateKek,
  startRotation,
  workRotations,
  type Keys,
  type RotationDeps,
  type RotationJournal,
} from "./domain/vault/index.ts";
import { bindKeyCommands } from "./key-commands.ts";
import type { WithWorkspace } from "./platform/db/index.ts";
import { createRotationJournal } from "./rotation-journal.ts";

let kit: RotationKit;
let withWorkspace: WithWorkspace;
let workspaceId: WorkspaceId;

beforeAll(async () => {
  kit = await createRotationKit();
  ({ withWorkspace } = kit.database.as("patchbay_app"));
});
afterAll(() => kit.close());
beforeEach(async () => {
  await kit.sql`truncate workspace_keys, data_keys, key_rotations, queue.workspaces`;
  workspaceId = await kit.aWorkspace();
  await sealSomething();
});

describe("a rotation's entries in the audit log", () => {
  test("tell of its start by an operator and of its end by the product itself", async () => {
    await startRotation(asOperator(), { workspaceId, kind: "data" });
    kit.advance(GRACE_MS + 1);
    await workRotations(withLog("system"), workspaceId);
    const target = { type: "workspace", id: encodeId("ws", workspaceId) };
    expect(await entries()).toMatchObject([
      {
        kind: "fact",
        action: "key_rotation.start",
        actor: { kind: "operator", id: null },
        target,
        details: { kind: "data", retired: 1 },
      },
      {
        kind: "fact",
        action: "key_rotation.finish",
        actor: { kind: "system", id: null },
        target,
        details: { kind: "data", renewed: 0, destroyed: 1 },
      },
    ]);
    const vault = kit.aVault();
    expect((await verifyLog({ withWorkspace, vault }, workspaceId)).problems).toEqual([]);
  });

  test("name the tenant to whose keys it was kept", async () => {
    const tenantUid = await sealSomething();
    await startRotation(asOperator(), { workspaceId, kind: "data", tenantUid });
    expect(await entries()).toMatchObject([{ tenantRef: encodeId("ten", tenantUid), details: { retired: 1 } }]);
  });

  test("tell which version wraps the workspace's keys now, once", async () => {
    const keys = await kit.keyFile("2", "1");
    await rotateKek(asOperator(keys));
    await rotateKek(asOperator(keys));
    expect(await entries()).toMatchObject([
      {
        action: "workspace_key.rewrap",
        actor: { kind: "operator" },
        details: { keys: 1, provider: "local", version: "2" },
      },
    ]);
  });

  test("tell of an end that the command line reached", async () => {
    const lines: string[] = [];
    const commands = await keyCommands(lines);
    const other = await kit.aWorkspace();
    await kit.aVault().sealer({ workspaceId: other, tenantUid: kit.aTenant(), purpose: "payload" });
    const all = { workspace: null, tenant: null };
    await commands.rotateKeys({ ...all, data: true, workspaceKeys: false });
    await kit.sql`update data_keys set decrypt_only_since = decrypt_only_since - interval '31 minutes'`;
    await kit.sql`update key_rotations set next_pass_at = now() - interval '1 second'`;
    await commands.rotateKeys({ ...all, data: false, workspaceKeys: true });
    expect((await entries()).map(({ action, actor, details }) => [action, actor.kind, details["kind"]])).toEqual([
      ["key_rotation.start", "operator", "data"],
      ["key_rotation.start", "operator", "workspace_key"],
      ["key_rotation.finish", "operator", "data"],
    ]);
    for (const id of [workspaceId, other]) {
      const told = lines.filter((line) => line.startsWith(`${encodeId("ws", id)}: 1 key made old`));
      expect(told, encodeId("ws", id)).toHaveLength(2);
    }
  });
});

describe("what could not be entered did not happen", () => {
  test("a start leaves the keys in use", async () => {
    const before = await keyStates();
    await expect(startRotation(unentered(), { workspaceId, kind: "data" })).rejects.toThrow("planted");
    expect(await keyStates()).toEqual(before);
  });

  test("an end destroys no key, and comes later with its entry", async () => {
    await startRotation(asOperator(), { workspaceId, kind: "data" });
    kit.advance(GRACE_MS + 1);
    await expect(workRotations(unentered(), workspaceId)).rejects.toThrow("planted");
    expect(await keyStates()).not.toContain("destroyed");
    await workRotations(withLog("system"), workspaceId);
    expect(await keyStates()).toContain("destroyed");
    expect((await entries()).map(({ action }) => action)).toEqual(["key_rotation.start", "key_rotation.finish"]);
  });

  test("a workspace key stays wrapped as it was, and is wrapped anew later with its entry", async () => {
    const keys = await kit.keyFile("2", "1");
    await expect(rotateKek(unentered(keys))).rejects.toThrow("planted");
    expect(await kit.sql`select distinct kek_version from workspace_keys`).toEqual([{ kek_version: "1" }]);
    await rotateKek(asOperator(keys));
    expect(await entries()).toHaveLength(1);
  });
});

function withLog(actor: "system" | "operator", keys?: Keys): RotationDeps {
  const audit = createAudit({ withWorkspace, clock: kit.clock, vault: kit.aVault(keys) });
  return { ...kit.deps(keys), journal: createRotationJournal(audit, { kind: actor, id: null }) };
}

function asOperator(keys?: Keys): RotationDeps {
  return withLog("operator", keys);
}

/** Dies before the commit. */
function unentered(keys?: Keys): RotationDeps {
  const journal: RotationJournal = {
    open: async () => async () => {
      throw new Error("planted");
    },
  };
  return { ...kit.deps(keys), journal };
}

async function sealSomething() {
  const tenantUid = kit.aTenant();
  await kit.aVault().sealer({ workspaceId, tenantUid, purpose: "payload" });
  return tenantUid;
}

async function entries(): Promise<readonly AuditEntry[]> {
  const read: AuditEntry[] = [];
  for await (const { entry } of readLog({ withWorkspace }, workspaceId)) read.push(entry);
  return read;
}

async function keyStates() {
  const rows = await kit.sql<{ state: string }[]>`
    select state from data_keys where workspace_id = ${workspaceId} and purpose <> 'audit' order by state`;
  return rows.map(({ state }) => state);
}

async function keyCommands(lines: string[]) {
  const config = parseConfig({ PATCHBAY_KEY_FILE: await kit.keyPath("1") }, process.cwd());
  return bindKeyCommands({
    withDatabase: (work) => work(kit.database, config),
    config: () => config,
    print: (line) => lines.push(line),
  });
}
