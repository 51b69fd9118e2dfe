import { createInterface } from "node:readline";
import { openLocalKeys } from "../../../packages/backend/src/domain/vault/index.ts";
import { startNode } from "./node.ts";

/** A node in a process of its own: prints `ready`, does for each line of input what it says, prints what came of it. */
export interface ChildSetup {
  readonly node: Omit<Parameters<typeof startNode>[0], "keys" | "at">;
  readonly keyFile: string;
  /** Where it kills itself, without a chance to clean up. */
  readonly killAt: string | null;
}
export interface ChildOrder {
  readonly target: Parameters<Awaited<ReturnType<typeof startNode>>["credentials"]["accessToken"]>[0];
  readonly callers: number;
  /** After a 401 for the token of this version; else a plain call for a token. */
  readonly after401: number | null;
}

const setup = JSON.parse(process.env["REFRESH_NODE"] ?? "null") as ChildSetup;
await using node = await startNode({
  ...setup.node,
  keys: await openLocalKeys(setup.keyFile),
  at: (point) => {
    if (point === setup.killAt) process.kill(process.pid, "SIGKILL");
  },
});
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const { target, callers, after401 } = JSON.parse(line) as ChildOrder;
  const { credentials } = node;
  const given = await Promise.all(
    Array.from({ length: callers }, () =>
      after401 === null ? credentials.accessToken(target) : credentials.refreshAfter401(target, after401),
    ),
  );
  const answers = given.map((access) => ("token" in access ? access.token.reveal() : JSON.stringify(access)));
  process.stdout.write(`${JSON.stringify({ atMs: Date.now(), answers })}\n`);
}
