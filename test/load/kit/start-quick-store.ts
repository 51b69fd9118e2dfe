import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface StoreFacts {
  readonly url: string;
  readonly shops: readonly string[];
}

/** Stores without a rate limit, in a process of their own; see `quick-store.ts`. */
export interface QuickStore extends StoreFacts {
  registerApp(app: {
    readonly clientId: string;
    readonly clientSecret: string;
    readonly redirectUris: readonly string[];
  }): Promise<void>;
  close(): Promise<void>;
}

export async function startQuickStore(): Promise<QuickStore> {
  const child = fork(fileURLToPath(new URL("quick-store.ts", import.meta.url)));
  const [facts] = (await once(child, "message")) as [StoreFacts];
  return {
    ...facts,
    async registerApp(app) {
      child.send(app);
      await once(child, "message");
    },
    async close() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
