import { once } from "node:events";
import { connect, type Socket } from "node:net";

/**
 * Sends whole HTTP requests over a number of kept connections and reads as much of the answers as statuses need: an
 * HTTP client proper would take more of the machine than what is measured.
 */
export interface Sender {
  /** Waits for a free connection. @returns the status; 0 when the connection broke */
  send(request: Buffer): Promise<number>;
  close(): void;
}

export async function openSender(url: string, connections: number): Promise<Sender> {
  const { hostname, port } = new URL(url);
  const free: Lane[] = [];
  const waiting: Job[] = [];
  const lanes = await Promise.all(Array.from({ length: connections }, () => openLane(hostname, Number(port), next)));
  free.push(...lanes);

  function next(lane: Lane): void {
    const job = waiting.shift();
    if (job === undefined) free.push(lane);
    else lane.start(job);
  }

  return {
    send: (request) =>
      new Promise((resolve) => {
        const job = { request, resolve };
        const lane = free.pop();
        if (lane === undefined) waiting.push(job);
        else lane.start(job);
      }),
    close() {
      for (const lane of lanes) lane.close();
    },
  };
}

interface Job {
  readonly request: Buffer;
  readonly resolve: (status: number) => void;
}

interface Lane {
  start(job: Job): void;
  close(): void;
}

async function openLane(host: string, port: number, onFree: (lane: Lane) => void): Promise<Lane> {
  let socket: Socket;
  let job: Job | null = null;
  let answer = "";
  let closed = false;
  let broken = false;

  const finish = (status: number) => {
    const done = job;
    job = null;
    answer = "";
    done?.resolve(status);
    if (!closed) onFree(lane);
  };
  const open = async () => {
    // Such as the 408 that a server sends before it closes a connection that nobody used.
    answer = "";
    socket = connect({ host, port, noDelay: true });
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("data", (chunk: string) => {
      answer += chunk;
      if (isComplete(answer)) finish(Number(answer.slice(9, 12)));
    });
    await once(socket, "connect");
    socket.once("close", () => {
      if (!closed) void reopen();
    });
  };
  const reopen = async () => {
    const lost = job;
    broken = await open().then(
      () => false,
      () => true,
    );
    // What was started meanwhile is on the new connection.
    if (job !== null && (broken || job === lost)) finish(0);
  };
  const lane: Lane = {
    start(given) {
      job = given;
      if (broken) void reopen();
      else socket.write(given.request);
    },
    close() {
      closed = true;
      socket.destroy();
    },
  };
  await open();
  return lane;
}

/** Whether the head and as many bytes as it names, or all chunks, are there. */
function isComplete(answer: string): boolean {
  const headEnd = answer.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, headEnd))?.[1];
  if (length === undefined) return answer.endsWith("0\r\n\r\n");
  return answer.length >= headEnd + 4 + Number(length);
}
