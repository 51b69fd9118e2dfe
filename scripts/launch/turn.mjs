import { createHash } from "node:crypto";
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Stop } from "./stop.mjs";

/** Waits until no other start of this folder is installing or building; `end` lets the next one go on. */
export async function takeTurn(root) {
  const key = createHash("sha256").update(`${userInfo().uid} ${root}`).digest("hex").slice(0, 16);
  const path = join(tmpdir(), `patchbay-launch-${key}.pid`);
  const deadline = Date.now() + WAIT_MS_MAX;
  let told = false;
  while (Date.now() < deadline) {
    if (hold(path)) return { end: () => unlinkSync(path) };
    const holder = readHolder(path);
    if (holder !== null && !isAlive(holder)) {
      clear(path, holder);
      continue;
    }
    if (!told) console.log("Another start is installing or building; waiting for it …");
    told = true;
    await delay(POLL_MS);
  }
  throw new Stop(`Another start has been installing for too long; end it, or remove ${path}.`);
}

const WAIT_MS_MAX = 20 * 60_000;
const POLL_MS = 200;

/** Written beside and linked into place, so that nobody ever reads a file without its number. */
function hold(path) {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    unlinkSync(mine);
  }
}

/** Takes a dead holder's file away; another start may have been quicker and hold the turn by now. */
function clear(path, deadHolder) {
  const taken = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, taken);
    if (readHolder(taken) !== deadHolder) linkSync(taken, path);
    unlinkSync(taken);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "EEXIST") throw error;
  }
}

function readHolder(path) {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
