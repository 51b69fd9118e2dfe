import { readdir, readFile } from "node:fs/promises";

/** Processor time used so far, in milliseconds: fair where others share the machine, unlike time by the clock. */
export interface CpuTime {
  readonly serverMs: number;
  /** Of Postgres with all its backends, of those that live. */
  readonly postgresMs: number;
}

/** Linux alone tells it; elsewhere both are `NaN`. */
export async function readCpuTime(serverPid: number, postmasterPid: number): Promise<CpuTime> {
  const all = await readProcesses();
  const server = all.get(serverPid);
  let postgresMs = 0;
  for (const [pid, each] of all) {
    if (pid === postmasterPid || each.parent === postmasterPid) postgresMs += each.cpuMs;
  }
  return server === undefined
    ? { serverMs: Number.NaN, postgresMs: Number.NaN }
    : { serverMs: server.cpuMs, postgresMs };
}

/** As Linux counts it for everybody. */
const TICK_MS = 10;

async function readProcesses(): Promise<ReadonlyMap<number, { readonly parent: number; readonly cpuMs: number }>> {
  const names = await readdir("/proc").catch(() => []);
  const found = new Map<number, { readonly parent: number; readonly cpuMs: number }>();
  for (const name of names.filter((each) => /^\d+$/.test(each))) {
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => null);
    // The name in brackets may hold spaces; the fields after it do not. A postmaster counts what its dead children used.
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0);
    if (stat !== null) found.set(Number(name), { parent: Number(fields[1]), cpuMs: ticks * TICK_MS });
  }
  return found;
}
