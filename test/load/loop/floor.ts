import { once } from "node:events";
import { Agent, createServer, request, type Server } from "node:http";

/**
 * The least that any such loop takes on this machine: two bare HTTP hops that carry as much, in this process, with
 * connections kept open. The first server answers, then calls the second.
 *
 * @returns milliseconds from sending to the arrival at the second server, one per round
 */
export async function measureFloor(rounds: number, bodyBytes: number): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true });
  const body = Buffer.alloc(bodyBytes, "x");
  let arrived: () => void = () => {};
  const last = await listen(() => arrived());
  let secondHop: Promise<void> = Promise.resolve();
  const first = await listen(() => {
    secondHop = post(agent, portOf(last), body);
  });
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    const startedMs = performance.now();
    const firstHop = post(agent, portOf(first), body);
    await arrival;
    times.push(performance.now() - startedMs);
    await Promise.all([firstHop, secondHop]);
  }
  agent.destroy();
  await Promise.all([first, last].map(close));
  // The first rounds open connections.
  return times.slice(Math.min(10, Math.floor(rounds / 10)));
}

async function listen(onArrival: () => void): Promise<Server> {
  const server = createServer((incoming, answer) => {
    incoming.resume();
    incoming.on("end", () => {
      answer.end("ok");
      onArrival();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function post(agent: Agent, port: number, body: Buffer): Promise<void> {
  const outgoing = request({
    agent,
    host: "127.0.0.1",
    port,
    method: "POST",
    headers: { "content-length": body.length },
  });
  outgoing.end(body);
  const [answer] = await once(outgoing, "response");
  answer.resume();
  await once(answer, "end");
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return address.port;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}
