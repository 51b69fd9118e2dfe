import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface TestServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A server of a test's own on 127.0.0.1; port 0: any free one. */
export async function serve(
  port: number,
  answer: (request: IncomingMessage, body: string) => Promise<Answer>,
): Promise<TestServer> {
  const server = createServer((request, response) => {
    void readText(request)
      .then((body) => answer(request, body))
      .catch((error: unknown): Answer => ({ status: 500, body: String(error) }))
      .then(({ status = 200, headers = {}, body = "" }) => response.writeHead(status, headers).end(body));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
