import { open, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type postgres from "postgres";
import type { StandaloneServer } from "../standalone-ground.ts";
import type { Fault } from "./faults.ts";

const BALLAST_BYTES = 1024 * 1024;
const STORM_MS = 100;

/** What happens to database servers. */
export function databaseFaults(server: StandaloneServer, sql: postgres.Sql, lastsMs: number): readonly Fault[] {
  let storm: NodeJS.Timeout | undefined;
  const database = async () => (await sql<{ name: string }[]>`select current_database() as name`)[0]?.name ?? "";
  return [
    down("postmaster killed with -9", "SIGKILL"),
    down("immediate shutdown", "SIGQUIT"),
    {
      name: "connections ended again and again",
      lastsMs,
      begin: () => {
        storm = setInterval(() => void endConnections(sql).catch(() => {}), STORM_MS);
      },
      end: () => clearInterval(storm),
    },
    {
      name: "too many connections",
      lastsMs,
      async begin() {
        await sql.unsafe(`alter database ${await database()} connection limit 1`);
        await endConnections(sql);
      },
      async end() {
        await sql.unsafe(`alter database ${await database()} connection limit -1`);
      },
    },
  ];

  function down(name: string, signal: NodeJS.Signals): Fault {
    return { name, lastsMs, begin: () => server.crash(signal), end: () => server.revive() };
  }
}

/** @param folder where the server keeps its data; a disk of its own, and a small one */
export function diskFull(server: StandaloneServer, folder: string, lastsMs: number): Fault {
  const ballast = join(folder, "ballast");
  return {
    name: "disk full",
    lastsMs,
    async begin() {
      await writeFile(ballast, "");
      const file = await open(ballast, "a");
      try {
        const block = Buffer.alloc(BALLAST_BYTES, 1);
        for (;;) await file.write(block);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      } finally {
        await file.close();
      }
    },
    async end() {
      await rm(ballast);
      await server.revive();
    },
  };
}

async function endConnections(sql: postgres.Sql): Promise<void> {
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name like 'patchbay%'`;
}
