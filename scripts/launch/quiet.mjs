import { spawn } from "node:child_process";

/**
 * Runs a program without showing its output.
 *
 * @param onLine is called with each line that it writes
 * @returns its exit code and the last of its output, for when it failed
 */
export function runQuietly({ program, args, cwd, env, shell = false, timeoutMs, onLine = () => {} }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, shell, stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
    let output = "";
    let open = "";
    const read = (chunk) => {
      output = (output + chunk).slice(-OUTPUT_CHARS_KEPT);
      const lines = (open + chunk).split(/\r?\n/);
      open = lines.pop() ?? "";
      lines.forEach((line) => onLine(line));
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

const OUTPUT_CHARS_KEPT = 64 * 1024;
