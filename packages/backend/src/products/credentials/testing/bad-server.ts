import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";

/** How an authorization server misbehaves when it is asked for a token. */
export type Misbehaviour =
  | { readonly kind: "answer"; readonly body: unknown; readonly status?: number; readonly contentType?: string | null }
  | { readonly kind: "endless"; readonly bytes: number }
  | { readonly kind: "gzip_bomb"; readonly bytes: number }
  | { readonly kind: "drip"; readonly everyMs: number }
  | { readonly kind: "redirect"; readonly status: 301 | 302 | 307 | 308 }
  | { readonly kind: "half" }
  | { readonly kind: "many_headers" };

export interface BadServer extends AsyncDisposable {
  readonly origin: string;
  /** Requests to the token endpoint. */
  asked(): number;
  /** Requests to the place that redirects lead to: a client that follows brings its secret there. */
  followed(): number;
  /** What went out on the last connection. */
  bytesSent(): number;
  behave(how: Misbehaviour): void;
}

const CHUNK = Buffer.alloc(64 * 1024, "x");

/** An authorization server that no certified one would be. */
export async function startBadServer(): Promise<BadServer> {
  let how: Misbehaviour = { kind: "half" };
  let asked = 0;
  let followed = 0;
  let socket: Socket | null = null;
  const server = createServer((request, response) => {
    request.resume();
    socket = request.socket;
    if (request.url?.startsWith("/elsewhere") === true) {
      followed++;
      response.end("{}");
      return;
    }
    asked++;
    void misbehave(how, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    asked: () => asked,
    followed: () => followed,
    bytesSent: () => socket?.bytesWritten ?? 0,
    behave: (next) => {
      how = next;
      asked = 0;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

async function misbehave(how: Misbehaviour, response: ServerResponse): Promise<void> {
  const json = { "content-type": "application/json" };
  switch (how.kind) {
    case "answer": {
      const text = typeof how.body === "string" ? how.body : JSON.stringify(how.body);
      const { contentType = "application/json" } = how;
      response.writeHead(how.status ?? 200, contentType === null ? {} : { "content-type": contentType }).end(text);
      return;
    }
    case "endless":
      response.writeHead(200, json);
      for (let sent = 0; sent < how.bytes && !response.destroyed; sent += CHUNK.length) {
        if (!response.write(CHUNK)) await drained(response);
      }
      response.end();
      return;
    case "gzip_bomb":
      response.writeHead(200, { ...json, "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(how.bytes)));
      return;
    case "drip":
      response.writeHead(200, json);
      for (const letter of '{"access_token":"'.padEnd(10_000, "a")) {
        if (response.destroyed) return;
        response.write(letter);
        await new Promise((resolve) => setTimeout(resolve, how.everyMs));
      }
      return;
    case "redirect":
      response.writeHead(how.status, { location: "/elsewhere" }).end();
      return;
    case "half":
      response.writeHead(200, { ...json, "content-length": "1000" });
      response.write('{"access_token":"a');
      setImmediate(() => response.destroy());
      return;
    case "many_headers":
      response.writeHead(200, { ...json, "x-filler": "f".repeat(20_000) }).end("{}");
      return;
  }
}
