import { once } from "node:events";
import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import type { RotatingKeyAuth } from "../../../connectors/kit/index.ts";
import { aField, SCOPE } from "./test-connector.ts";

/** A provider whose keys can be made and revoked by call, with a key. */
export interface KeyServer extends AsyncDisposable {
  readonly origin: string;
  readonly live: Set<string>;
  /** Requests as `POST /api/keys 201`. */
  readonly asked: string[];
  /** New keys are of no use, as when the provider is slow to let them in. */
  stillborn: boolean;
}

/** The method of {@link startKeyServer}'s provider. */
export const TEST_ROTATING: RotatingKeyAuth = {
  kind: "rotating_key",
  id: "rotating_key",
  name: "Key",
  fields: [aField("key", { multiline: false, pattern: /^k_[0-9a-f]{16}$/, prefixes: ["k_"] })],
  place: [{ kind: "header", name: "x-key", prefix: "", field: "key" }],
  periodDays: 30,
  create: (attempt) => ({ method: "POST", path: "/keys", body: { attempt }, idempotent: true, cost: 1 }),
  parseCreated({ body }) {
    const made = typeof body === "object" && body !== null && "key" in body ? body.key : null;
    return typeof made === "string" ? { key: made } : null;
  },
  revoke: ({ key = "" }) => ({ method: "DELETE", path: `/keys/${key}`, idempotent: true, cost: 1 }),
};

export async function startKeyServer(): Promise<KeyServer> {
  const live = new Set([newKey()]);
  const byAttempt = new Map<string, string>();
  const asked: string[] = [];
  const state = { stillborn: false };

  function answer(method: string, path: string, key: string, body: string): [number, object] {
    if (!live.has(key)) return [401, {}];
    if (path === "/api/me") return [200, { account: "acme", scope: SCOPE }];
    if (method === "DELETE") return live.delete(path.split("/").at(-1) ?? "") ? [200, {}] : [404, {}];
    const { attempt } = JSON.parse(body) as { attempt: string };
    const made = byAttempt.get(attempt) ?? newKey();
    byAttempt.set(attempt, made);
    if (!state.stillborn) live.add(made);
    return [201, { key: made }];
  }

  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = "GET", url = "/", headers } = request;
      const [status, json] = answer(method, url, String(headers["x-key"] ?? ""), body);
      asked.push(`${method} ${url.replace(/k_\w+/, ":key")} ${status}`);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return Object.assign(state, {
    origin: `http://127.0.0.1:${address.port}`,
    live,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}

function newKey(): string {
  return `k_${randomBytes(8).toString("hex")}`;
}
