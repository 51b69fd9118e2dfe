import { createServer } from "node:http";
import { expect, test } from "vitest";
import { startHostApp } from "./start-host-app.ts";
import { anOrderCreated, fakePatchbay } from "./testing.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** Just enough of Patchbay to start against. */
async function patchbayServer(status = 200) {
  const routes: string[] = [];
  const server = createServer((request, response) => {
    routes.push(`${request.method} ${request.url}`);
    const endpoint = { id: "we_1", secret: SECRET };
    const isList = request.method === "GET";
    response.statusCode = status;
    response.end(JSON.stringify(isList ? { data: [], hasMore: false, nextCursor: null } : endpoint));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    routes,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("makes its tenants, subscribes, receives, tells live pages, and stops while one is open", async () => {
  await using patchbay = await patchbayServer();
  const app = await startHostApp({ port: 0, patchbayUrl: patchbay.url, apiKey: "pb_test_1" });
  expect(patchbay.routes).toEqual([
    "PUT /v1/tenants/northwind",
    "PUT /v1/tenants/lumen-oak",
    "GET /v1/webhook-endpoints",
    "POST /v1/webhook-endpoints",
  ]);
  const at = `http://127.0.0.1:${app.port}`;
  const live = (await fetch(`${at}/live`)).body?.getReader();
  const heard = async () => new TextDecoder().decode((await live?.read())?.value);
  expect(await heard()).toContain("event: hello");

  const event = anOrderCreated({ timestamp: new Date().toISOString() });
  const signed = await fakePatchbay().patchbay.webhooks.signTestEvent(event, SECRET);
  const response = await fetch(`${at}/webhooks/patchbay`, { method: "POST", ...signed });
  expect([response.status, await heard()]).toEqual([204, "data: northwind\n\n"]);
  await app.close();
  await expect(fetch(at)).rejects.toThrow("fetch failed");
});

test("does not start, and frees its port, when Patchbay refuses the key", async () => {
  await using patchbay = await patchbayServer(401);
  const unused = await patchbayServer();
  const port = Number(new URL(unused.url).port);
  await unused[Symbol.asyncDispose]();
  const starting = startHostApp({ port, patchbayUrl: patchbay.url, apiKey: "pb_test_1" });
  await expect(starting).rejects.toMatchObject({ status: 401 });
  await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow("fetch failed");
});
