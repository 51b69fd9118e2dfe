import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, join } from "node:path";

/**
 * Runs the product in our terminal until it ends and gives back its exit code.
 *
 * It gets a process group of its own: Ctrl-C reaches every process of the terminal's group, and npm passes it on once
 * more, but the product must be told once. A second Ctrl-C, given later, is passed on too.
 */
export function runToEnd(node, args, root) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PATH: [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter) };
    const child = spawn(node, args, { stdio: "inherit", cwd: root, env, detached: process.platform !== "win32" });
    const stopPassing = passSignals(child);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      stopPassing();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/** Copies of one Ctrl-C arrive within this time. */
const SAME_SIGNAL_MS = 500;
const PARENT_POLL_MS = 250;
/** A closed terminal ends the product as politely as Ctrl-C does. */
const PASSED_AS = { SIGINT: "SIGINT", SIGTERM: "SIGTERM", SIGHUP: "SIGTERM" };

function passSignals(child) {
  let lastAt = -Infinity;
  const pass = (signal) => {
    const now = performance.now();
    if (now - lastAt >= SAME_SIGNAL_MS) child.kill(signal);
    lastAt = now;
  };
  const listeners = Object.entries(PASSED_AS).map(([received, passed]) => [received, () => pass(passed)]);
  for (const [received, listener] of listeners) process.on(received, listener);
  const watch = watchNpm(() => lastAt === -Infinity && pass("SIGTERM"));
  return () => {
    for (const [received, listener] of listeners) process.off(received, listener);
    clearInterval(watch);
  };
}

/** npm runs us through a shell that keeps signals to itself: when one ends npm, we only see our parent go. */
function watchNpm(onGone) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    onGone();
  }, PARENT_POLL_MS);
  return watch;
}
