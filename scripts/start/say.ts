import type { Demo } from "./demo.ts";

/** One line of progress. */
export function say(line: string): void {
  process.stdout.write(`  ${line}\n`);
}

/** Where to go now. */
export function sayReady(demo: Demo, elapsedMs: number): void {
  const line = (name: string, url: string) => `  ${name.padEnd(18)}${url}`;
  process.stdout.write(
    [
      "",
      `  Patchbay is ready after ${(elapsedMs / 1_000).toFixed(1)} s.`,
      "",
      line("Example product", demo.hostUrl),
      line("Sandbox stores", demo.sandboxUrl),
      line("Console", demo.consoleUrl),
      line("API reference", `${demo.apiUrl}/docs`),
      "",
      "  What to do next:",
      `  1. Open ${demo.hostUrl} and connect the store ${demo.shop}.`,
      `  2. Place an order at ${demo.controlUrl}.`,
      `  3. See it arrive, verified, at ${demo.hostUrl}/events.`,
      "",
      `  API key for your own code: ${demo.apiKeyFile}`,
      "  Stop with Ctrl-C; your data stays.",
      "",
      "",
    ].join("\n"),
  );
}
