/// <reference types="node" />
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const VITE = fileURLToPath(new URL("../../node_modules/vite/bin/vite.js", import.meta.url));
const DEADLINE_MS = 60_000;

export interface Bundles {
  /** `dist/patchbay-connect.js` */
  readonly module: string;
  /** `dist/embed.js` */
  readonly embed: string;
}

/** Builds what is published, from the sources as they are now and as production does, beside the real `dist`. */
export async function buildBundles(): Promise<Bundles> {
  const folder = await mkdtemp(join(tmpdir(), "connect-widget-"));
  try {
    await promisify(execFile)(
      process.execPath,
      [VITE, "build", "--outDir", folder, "--emptyOutDir", "--logLevel", "error"],
      {
        cwd: ROOT,
        env: { ...process.env, NODE_ENV: "production" },
        timeout: DEADLINE_MS,
      },
    );
    const read = (name: string): Promise<string> => readFile(join(folder, name), "utf8");
    return { module: await read("patchbay-connect.js"), embed: await read("embed.js") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
