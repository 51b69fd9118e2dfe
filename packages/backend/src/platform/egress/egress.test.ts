import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTick } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { silentLogger } from "../observability/index.ts";
import { createEgress, EgressError, type EgressRequest, type Lookup } from "./index.ts";

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

describe("what is dialled", () => {
  test.each([
    ["a private address", [{ address: "127.0.0.1", family: 4 }]],
    [
      "a public and a private address",
      [
        { address: "8.8.8.8", family: 4 },
        { address: "127.0.0.1", family: 4 },
      ],
    ],
    [
      "a public IPv4 and a private IPv6 address",
      [
        { address: "8.8.8.8", family: 4 },
        { address: "::1", family: 6 },
      ],
    ],
    ["a mapped private address", [{ address: "::ffff:127.0.0.1", family: 6 }]],
    ["a thousand addresses with one private", [...many(999), { address: "127.0.0.1", family: 4 }]],
  ])("a name with %s is not dialled", async (_what, answer) => {
    const sentinel = await startSentinel();
    const egress = open(() => Promise.resolve(answer));
    const result = await egress.request(get("http://hooks.example.com/"));
    expect(result).toEqual({ ok: false, problem: "blocked_address", sent: false });
    expect(sentinel.connections()).toBe(0);
  });

  test("a name that changes between two look-ups reaches nothing private in 1,000 rounds", async () => {
    const sentinel = await startSentinel();
    let lookups = 0;
    // Only every second answer is public, and that one leads nowhere.
    const egress = open(() => {
      lookups++;
      if (lookups % 2 === 1) return Promise.resolve([]);
      return Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    });
    for (let round = 0; round < 1_000; round++) {
      const result = await egress.request(get("https://hooks.example.com:8443/"));
      expect(result.ok).toBe(false);
    }
    expect(lookups).toBe(1_000);
    expect(sentinel.connections()).toBe(0);
  });

  test("the name is looked up once per connection, by our own look-up", async () => {
    const asked: string[] = [];
    const egress = open((name) => {
      asked.push(name);
      return Promise.reject(new Error("no such name"));
    });
    expect(await egress.request(get("https://hooks.example.com/"))).toEqual({ ok: false, problem: "dns", sent: false });
    expect(asked).toEqual(["hooks.example.com"]);
  });

  test("the connection goes to the address that was judged, whatever the name means elsewhere", async () => {
    const hosts: unknown[] = [];
    const origin = await serve((request, response) => {
      hosts.push(request.headers.host);
      response.end();
    });
    const { port } = new URL(origin);
    const answers = ["127.0.0.1", "169.254.169.254"];
    const egress = open(async () => [{ address: answers.shift() ?? "0.0.0.0", family: 4 }]);
    const named = `http://rebinds.example:${port}`;
    // Exempt, so that the judged address may be this machine's; the same connector serves what is not.
    expect(await egress.request(exemptGet(named, "/"))).toMatchObject({ ok: true, status: 200 });
    expect(hosts).toEqual([`rebinds.example:${port}`]);
    expect(answers).toEqual(["169.254.169.254"]);
  });

  test("a look-up that hangs ends at the deadline", async () => {
    const egress = open(() => new Promise(() => {}));
    const result = await egress.request({ ...get("https://hooks.example.com/"), deadlineMs: 50 });
    expect(result).toEqual({ ok: false, problem: "timeout", sent: false });
  });

  test("a proxy of the environment is not used", async () => {
    const sentinel = await startSentinel();
    const before = { ...process.env };
    process.env["HTTP_PROXY"] = process.env["http_proxy"] = `http://127.0.0.1:${sentinel.port}`;
    process.env["HTTPS_PROXY"] = process.env["https_proxy"] = `http://127.0.0.1:${sentinel.port}`;
    cleanUps.push(async () => (process.env = before));
    const egress = open(() => Promise.resolve([{ address: "127.0.0.1", family: 4 }]));
    await egress.request(get("http://hooks.example.com/"));
    await egress.request(get("https://hooks.example.com/"));
    expect(sentinel.connections()).toBe(0);
  });
});

describe("answers", () => {
  test("a redirect is an answer and is not followed", async () => {
    const sentinel = await startSentinel();
    const target = `http://127.0.0.1:${sentinel.port}/`;
    const origin = await serve((_request, response) => response.writeHead(302, { location: target }).end());
    const result = await open().request(exemptGet(origin, "/"));
    expect(result).toMatchObject({ ok: true, status: 302, headers: { location: target } });
    expect(sentinel.connections()).toBe(0);
  });

  test("a body is cut at its limit, plain, compressed or endless", async () => {
    const origin = await serve((request, response) => {
      if (request.url === "/endless") return pour(response);
      if (request.url === "/plain") return response.end(Buffer.alloc(5_000));
      return response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(50_000_000)));
    });
    const egress = open();
    for (const path of ["/plain", "/gzip", "/endless"]) {
      const result = await egress.request({ ...exemptGet(origin, path), responseBytesMax: 1_000 });
      expect(result).toMatchObject({ ok: true, status: 200, truncated: true });
      expect(result.ok && result.body.length).toBe(1_000);
    }
  });

  test("a body of just the limit is whole", async () => {
    const origin = await serve((_request, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(1_000))),
    );
    const result = await open().request({ ...exemptGet(origin, "/"), responseBytesMax: 1_000 });
    expect(result).toMatchObject({ ok: true, truncated: false });
    expect(result.ok && result.body.length).toBe(1_000);
  });

  test("headers above 16 KiB are refused", async () => {
    const origin = await serve((_request, response) => response.setHeader("x-long", "y".repeat(20_000)).end());
    expect(await open().request(exemptGet(origin, "/"))).toEqual({
      ok: false,
      problem: "response_too_large",
      sent: true,
    });
  });

  test("an answer that drips is over at the deadline", async () => {
    const origin = await serve((_request, response) => {
      const timer = setInterval(() => response.write("x"), 5);
      response.once("close", () => clearInterval(timer));
    });
    const result = await open().request({ ...exemptGet(origin, "/"), deadlineMs: 60 });
    expect(result).toEqual({ ok: false, problem: "timeout", sent: true });
  });

  test.each<[string, (socket: Socket) => void]>([
    ["whose head drips", (socket) => socket.write("HTTP/1.1 200 OK\r\nx-long: ")],
    ["that announces itself for ever", (socket) => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n")],
    ["that never begins", () => {}],
  ])("an answer %s is over at the deadline", async (_what, begin) => {
    const origin = await serveRaw((socket) => {
      begin(socket);
      const timer = setInterval(() => begin(socket), 5);
      socket.once("close", () => clearInterval(timer));
    });
    const result = await open().request({ ...exemptGet(origin, "/"), deadlineMs: 60 });
    expect(result).toMatchObject({ ok: false, sent: true });
  });

  test("an endless head is refused before it is kept", async () => {
    const origin = await serveRaw((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      let n = 0;
      const more = () => {
        while (socket.writable && socket.write(`x-${n++}: ${"y".repeat(1_000)}\r\n`));
      };
      socket.on("drain", more);
      more();
    });
    const result = await open().request(exemptGet(origin, "/"));
    expect(result).toEqual({ ok: false, problem: "response_too_large", sent: true });
  });

  test("an answer by its hundredth announcement is still that answer", async () => {
    const hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(100);
    const origin = await serveRaw((socket) => {
      socket.write(`${hints}HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok`);
    });
    expect(await open().request(exemptGet(origin, "/"))).toMatchObject({ ok: true, status: 201, truncated: false });
  });

  test("a connection that is cut after the request is told as maybe sent", async () => {
    const origin = await serve((request) => request.socket.destroy());
    expect(await open().request(exemptGet(origin, "/"))).toEqual({
      ok: false,
      problem: "connection_reset",
      sent: true,
    });
  });

  test("a refused connection is told as not sent", async () => {
    const origin = "http://127.0.0.1:1";
    expect(await open().request(exemptGet(origin, "/"))).toEqual({
      ok: false,
      problem: "connection_refused",
      sent: false,
    });
  });

  test("a canceled request ends at once", async () => {
    const origin = await serve(() => {});
    const controller = new AbortController();
    const pending = open().request({ ...exemptGet(origin, "/"), signal: controller.signal });
    await nextTick();
    controller.abort();
    expect(await pending).toMatchObject({ ok: false, problem: "canceled" });
  });
});

describe("requests", () => {
  test("a caller's host and framing headers are dropped", async () => {
    let seen: IncomingMessage["headers"] = {};
    const origin = await serve((request, response) => {
      seen = request.headers;
      response.end();
    });
    const headers = {
      Host: "169.254.169.254",
      "Transfer-Encoding": "chunked",
      "Content-Length": "9",
      "x-ours": "kept",
    };
    await open().request({ ...exemptGet(origin, "/"), method: "POST", body: "{}", headers });
    expect(seen).toMatchObject({ host: new URL(origin).host, "content-length": "2", "x-ours": "kept" });
    expect(seen["transfer-encoding"]).toBeUndefined();
  });

  test("a line break in a header sends nothing", async () => {
    const origin = await serve((_request, response) => response.end());
    const request = { ...exemptGet(origin, "/"), headers: { "x-a": "b\r\nx-c: d" } };
    expect(await open().request(request)).toEqual({ ok: false, problem: "invalid_url", sent: false });
  });

  test("fetchLike sends forms, gives answers and throws what went wrong", async () => {
    const origin = await serve((request, response) => {
      if (request.url === "/long") return response.end("x".repeat(200));
      return request.pipe(response.writeHead(201, { "x-type": request.headers["content-type"] }));
    });
    const guarded = open().fetchLike({ exemptOrigins: [origin], deadlineMs: 1_000, responseBytesMax: 100 });
    const response = await guarded(`${origin}/form`, { method: "POST", body: new URLSearchParams({ code: "a b" }) });
    expect([response.status, await response.text()]).toEqual([201, "code=a+b"]);
    expect(response.headers.get("x-type")).toContain("application/x-www-form-urlencoded");
    await expect(guarded(`${origin}/long`)).rejects.toThrow(EgressError);
    await expect(guarded("http://127.0.0.1/")).rejects.toMatchObject({ problem: "blocked_address", sent: false });
  });
});

function open(lookup?: Lookup) {
  const egress = createEgress({ log: silentLogger, ...(lookup === undefined ? {} : { lookup }) });
  cleanUps.push(() => egress.close());
  return egress;
}

function get(url: string): EgressRequest {
  return { url, method: "GET", headers: {}, exemptOrigins: [], deadlineMs: 5_000, responseBytesMax: 1_000_000 };
}

function exemptGet(origin: string, path: string): EgressRequest {
  return { ...get(origin + path), exemptOrigins: [origin] };
}

function many(count: number) {
  return Array.from({ length: count }, (_, index) => ({ address: `8.8.${index >> 8}.${index & 255}`, family: 4 }));
}

function pour(stream: NodeJS.WritableStream): void {
  const more = () => {
    while (stream.writable && stream.write(Buffer.alloc(16_384)));
  };
  stream.on("drain", more);
  more();
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${portOf(server)}`;
}

/** Answers each connection's first bytes by hand. */
async function serveRaw(answer: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${portOf(server)}`;
}

/** Counts connections at the socket: an error text proves nothing. Also takes the web ports where it may. */
async function startSentinel() {
  let count = 0;
  const server = createTcpServer((socket) => {
    count++;
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const webPorts = await Promise.all([80, 443, 8443].map((port) => tryListen(port, () => count++)));
  cleanUps.push(async () => [server, ...webPorts].forEach((each) => each?.close()));
  return { port: portOf(server), connections: () => count };
}

async function tryListen(port: number, onConnection: () => void): Promise<Server | null> {
  const server = createTcpServer((socket) => {
    onConnection();
    socket.destroy();
  });
  server.listen({ port, host: "::", ipv6Only: false });
  return Promise.race([once(server, "listening").then(() => server), once(server, "error").then(() => null)]);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  return address.port;
}
