import { encodeId, type AuditCheckpoint, type AuditEntry, type DataKeyId, type WorkspaceId } from "@patchbay/shared";
import { createHmac, generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { GENESIS, chainHash } from "./chain.ts";
import { followChain, startOfChain, type ChainState, type CheckedEntry } from "./check-chain.ts";
import { checkLog, type Evidence } from "./check-log.ts";
import { signCheckpoint } from "./checkpoint.ts";

const LENGTH = 1_000;
const workspaceId = encodeId("ws", randomUUID() as WorkspaceId);
const keyId = randomUUID() as DataKeyId;
const key = randomBytes(32);
const codeOf = (_: DataKeyId, hash: Uint8Array) => createHmac("sha256", key).update(hash).digest();
const signer = generateKeyPairSync("ed25519");
const publicKey = signer.publicKey.export({ format: "der", type: "spki" }).toString("base64");

const log = aLog(LENGTH);
/** The state after each entry: a change at one place leaves what was before it as it was. */
const states = log.reduce<ChainState[]>(
  (known, entry) => [...known, followChain(known.at(-1) ?? startOfChain(workspaceId), entry, codeOf).state],
  [startOfChain(workspaceId)],
);

describe("a changed log of 1,000 entries", () => {
  const edits: readonly (readonly [string, (entry: CheckedEntry) => CheckedEntry])[] = [
    ["the action", (entry) => edited(entry, { action: "connection.resume" })],
    ["who did it", (entry) => edited(entry, { actor: { kind: "api_key", id: "key_y" } })],
    ["what it was done to", (entry) => edited(entry, { target: { type: "connection", id: null } })],
    ["when", (entry) => edited(entry, { recordedAt: "2026-06-01T00:00:00.001Z" })],
    ["a detail", (entry) => edited(entry, { details: { status: 201 } })],
    ["the hash", (entry) => edited(entry, { hash: randomBytes(32).toString("base64url") })],
    ["the code", (entry) => ({ ...entry, mac: { keyId, code: randomBytes(32) } })],
    ["an entry and its hash, by somebody without the key", (entry) => rehashed(entry)],
  ];
  test.each(edits)("audit: an edit of %s is found at every position", (_, edit) => {
    expect(found((at) => [edit(entryAt(at)), ...log.slice(at)])).toBe(LENGTH);
  });

  test("audit: a deletion is found at every position", () => {
    expect(found((at) => log.slice(at))).toBe(LENGTH);
  });

  test("audit: an insertion is found at every position, renumbered or not", () => {
    const copy = (at: number, sequence: number) => edited(entryAt(at), { sequence });
    expect(found((at) => [entryAt(at), ...log.slice(at - 1)])).toBe(LENGTH);
    expect(found((at) => [rehashed(copy(at, at)), ...log.slice(at - 1).map((entry) => renumbered(entry, 1))])).toBe(
      LENGTH,
    );
  });

  test("audit: a swap of neighbours is found at every position, renumbered or not", () => {
    const pairs = LENGTH - 1;
    const pair = (at: number) => [entryAt(at + 1), entryAt(at)] as const;
    expect(found((at) => [...pair(at), ...log.slice(at + 1)], pairs)).toBe(pairs);
    expect(
      found((at) => {
        const [later, earlier] = pair(at);
        return [renumbered(later, -1), renumbered(earlier, 1), ...log.slice(at + 1)];
      }, pairs),
    ).toBe(pairs);
  });

  test("audit: an untouched log has no problem", async () => {
    const report = await checkLog(log, evidence({ checkpoints: [checkpointAt(LENGTH)] }));
    expect(report).toMatchObject({ entries: LENGTH, problems: [], checkpoints: 1, checkpointedTo: LENGTH });
  });
});

describe("the end of a log", () => {
  test("audit: cut off alone, it is missed", async () => {
    const report = await checkLog(log.slice(0, 990), evidence());
    expect(report.problems).toEqual([{ sequence: 990, problem: "wrong_end" }]);
  });

  test("audit: cut off with all its traces in the database, it is missed only by an exported checkpoint", async () => {
    const short = log.slice(0, 990);
    const end = { sequence: 990, hash: entryAt(990).entry.hash };
    const traces = { end, checkpoints: [checkpointAt(900)] };
    expect((await checkLog(short, evidence(traces))).problems).toEqual([]);
    const exported = { ...traces, checkpoints: [checkpointAt(900), checkpointAt(LENGTH)] };
    expect((await checkLog(short, evidence(exported))).problems).toEqual([{ sequence: 990, problem: "cut_off" }]);
  });
});

describe("a checkpoint", () => {
  test("that was kept and exported counts once", async () => {
    const checkpoints = [checkpointAt(500), checkpointAt(500), checkpointAt(LENGTH)];
    expect(await checkLog(log, evidence({ checkpoints }))).toMatchObject({ checkpoints: 2, checkpointedTo: LENGTH });
  });

  test("audit: shows to the public key alone that a log was written anew by somebody who has every other key", async () => {
    const forged = aLog(LENGTH);
    const outside = { end: null, codeOf: null, publicKeys: [publicKey], checkpoints: [checkpointAt(500)] };
    expect((await checkLog(forged, evidence(outside))).problems).toEqual([
      { sequence: 500, problem: "not_as_checkpointed" },
    ]);
    expect(await checkLog(log, evidence(outside))).toMatchObject({ problems: [], checkpointedTo: 500 });
  });

  test.each<[string, Partial<AuditCheckpoint>]>([
    ["for another entry", { sequence: 499 }],
    ["for another hash", { hash: randomBytes(32).toString("base64url") }],
    ["for another time", { recordedAt: "2027-01-01T00:00:00.000Z" }],
    ["of another workspace", { workspaceId: encodeId("ws", randomUUID() as WorkspaceId) }],
    ["with another signature", { signature: randomBytes(64).toString("base64url") }],
    ["with what is no key", { publicKey: "AAAA" }],
  ])("%s proves nothing and is told of", async (_, change) => {
    const checkpoints = [{ ...checkpointAt(500), ...change }];
    const { problems } = await checkLog(log, evidence({ checkpoints }));
    expect(problems.map(({ problem }) => problem)).toEqual(["bad_checkpoint"]);
  });

  test("signed by a key that a forger brought along is refused by who knows the right one", async () => {
    const other = generateKeyPairSync("ed25519");
    const theirs = other.publicKey.export({ format: "der", type: "spki" }).toString("base64");
    const checkpoints = [signCheckpoint(statement(500, theirs), other.privateKey)];
    const { problems } = await checkLog(log, evidence({ checkpoints, publicKeys: [publicKey] }));
    expect(problems.map(({ problem }) => problem)).toEqual(["bad_checkpoint"]);
  });
});

describe("a log that was brought back with its database", () => {
  const KEPT = 600;
  const told = aLog(KEPT + 50, log.slice(0, KEPT), "2026-06-02T00:00:00.000Z", (sequence) =>
    sequence === KEPT + 1
      ? { kind: "fact", action: "database.restore", details: { backupTakenAt: "2026-06-01T00:30:00.000Z" } }
      : {},
  );
  const endOf = (entries: readonly CheckedEntry[]) => ({
    sequence: entries.length,
    hash: entries.at(-1)?.entry.hash ?? "",
  });
  const lost = { checkpoints: [checkpointAt(500), checkpointAt(640), checkpointAt(900)] };

  test("audit: says so, and how far checkpoints tell of more, instead of calling it changed", async () => {
    const report = await checkLog(told, evidence({ end: endOf(told), ...lost }));
    expect(report).toMatchObject({
      problems: [],
      checkpointedTo: 500,
      restores: [
        {
          sequence: KEPT + 1,
          restoredAt: "2026-06-02T00:00:00.000Z",
          backupTakenAt: "2026-06-01T00:30:00.000Z",
          lostTo: 900,
        },
      ],
    });
  });

  test("audit: is a rewind all the same where no entry tells of a restore", async () => {
    const silent = aLog(KEPT + 50, log.slice(0, KEPT), "2026-06-02T00:00:00.000Z");
    const { problems, restores } = await checkLog(silent, evidence({ end: endOf(silent), ...lost }));
    expect(restores).toEqual([]);
    expect(problems).toEqual([
      { sequence: 640, problem: "not_as_checkpointed" },
      { sequence: 650, problem: "cut_off" },
    ]);
  });

  test("audit: explains nothing that was said after the restore", async () => {
    const later = signCheckpoint({ ...statement(640), recordedAt: "2026-06-02T00:30:00.000Z" }, signer.privateKey);
    const { problems } = await checkLog(told, evidence({ end: endOf(told), checkpoints: [later] }));
    expect(problems).toEqual([{ sequence: 640, problem: "not_as_checkpointed" }]);
  });

  test("audit: is believed without the key only when a later checkpoint signs it", async () => {
    const outside = { end: null, codeOf: null, publicKeys: [publicKey] };
    expect((await checkLog(told, evidence({ ...outside, ...lost }))).problems).toHaveLength(2);
    const hash = told[KEPT + 9]?.entry.hash ?? "";
    const signed = { ...statement(KEPT + 10), hash, recordedAt: "2026-06-02T00:30:00.000Z" };
    const checkpoints = [...lost.checkpoints, signCheckpoint(signed, signer.privateKey)];
    expect(await checkLog(told, evidence({ ...outside, checkpoints }))).toMatchObject({
      problems: [],
      restores: [{ lostTo: 900 }],
    });
  });
});

/** At how many positions (1-based) the log that goes on with `rest(at)` instead shows a problem. */
function found(rest: (at: number) => readonly CheckedEntry[], positions = LENGTH): number {
  let count = 0;
  for (let at = 1; at <= positions; at++) {
    let state = states[at - 1] ?? startOfChain(workspaceId);
    let problem = null;
    for (const entry of rest(at)) {
      ({ state, problem } = followChain(state, entry, codeOf));
      if (problem !== null) break;
    }
    // The end as the database noted it shows what is missing there.
    const head = entryAt(LENGTH).entry;
    if (problem !== null || state.sequence !== head.sequence) count += 1;
  }
  return count;
}

function aLog(
  length: number,
  begun: readonly CheckedEntry[] = [],
  recordedAt = "2026-06-01T00:00:00.000Z",
  more: (sequence: number) => Partial<AuditEntry> = () => ({}),
): readonly CheckedEntry[] {
  const entries = [...begun];
  const last = begun.at(-1)?.entry.hash;
  let before: Uint8Array = last === undefined ? GENESIS : Buffer.from(last, "base64url");
  for (let sequence = begun.length + 1; sequence <= length; sequence++) {
    const facts: Omit<AuditEntry, "hash"> = {
      workspaceId,
      sequence,
      recordedAt,
      kind: "outcome",
      action: "connection.pause",
      actor: { kind: "api_key", id: "key_x" },
      target: { type: "connection", id: "conn_x" },
      tenantRef: null,
      requestId: randomUUID(),
      clientAddress: null,
      details: { ok: true, status: 200 },
      ...more(sequence),
    };
    const hash = chainHash(before, facts);
    entries.push({ entry: { ...facts, hash: hash.toString("base64url") }, mac: { keyId, code: codeOf(keyId, hash) } });
    before = hash;
  }
  return entries;
}

function entryAt(sequence: number): CheckedEntry {
  const entry = log[sequence - 1];
  if (entry === undefined) throw new Error(`no entry ${sequence}`);
  return entry;
}

function edited(checked: CheckedEntry, change: Partial<AuditEntry>): CheckedEntry {
  return { ...checked, entry: { ...checked.entry, ...change } };
}

function renumbered(checked: CheckedEntry, by: number): CheckedEntry {
  return edited(checked, { sequence: checked.entry.sequence + by });
}

/** Another actor, with a hash that fits: what somebody can do who may write rows. */
function rehashed(checked: CheckedEntry): CheckedEntry {
  const { hash: _, ...facts } = edited(checked, { actor: { kind: "operator", id: null } }).entry;
  const before = states[facts.sequence - 1]?.hash ?? GENESIS;
  return edited(checked, { ...facts, hash: chainHash(before, facts).toString("base64url") });
}

function statement(sequence: number, by = publicKey) {
  const { hash } = entryAt(sequence).entry;
  return { workspaceId, sequence, hash, recordedAt: "2026-06-01T01:00:00.000Z", publicKey: by };
}

function checkpointAt(sequence: number): AuditCheckpoint {
  return signCheckpoint(statement(sequence), signer.privateKey);
}

function evidence(given: Partial<Evidence> = {}): Evidence {
  const end = { sequence: LENGTH, hash: entryAt(LENGTH).entry.hash };
  return { workspaceId, end, firstPastEnd: null, checkpoints: [], publicKeys: null, codeOf, ...given };
}
