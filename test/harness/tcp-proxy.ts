import { once } from "node:events";
import { connect, createServer, type NetConnectOpts, type Socket } from "node:net";

/** A wire that can fail between two programs. */
export interface TcpProxy {
  readonly port: number;
  /** Everything passes again; what was silent goes on where it stopped, but for what was stranded. */
  pass(): void;
  /** No connection carries anything, and new ones neither: packets are lost. */
  silence(): void;
  /** Connections that are open now never carry anything again, and nobody is told; new ones pass. */
  strand(): void;
  /** Ends every connection, with a RST to whoever connected. */
  reset(): void;
  /** How long everything takes, each way. */
  latency(ms: number): void;
  /**
   * Each way, this share of what is carried comes 200 to 1,000 ms late, and holds up what is behind it: how a program
   * sees lost packets that TCP sends again. No packet is lost in truth.
   */
  stutter(share: number, random: () => number): void;
  close(): Promise<void>;
}

/** As TCP waits before it sends again, at first and after a few losses in a row. */
const STUTTER_MS_MIN = 200;
const STUTTER_MS_MAX = 1_000;

interface Wire {
  readonly ends: readonly [Socket, Socket];
  stranded: boolean;
}

/** Listens on 127.0.0.1, on any free port, and carries to `target`. */
export async function startTcpProxy(target: NetConnectOpts): Promise<TcpProxy> {
  const wires = new Set<Wire>();
  let silent = false;
  let latencyMs = 0;
  let stuttering: (() => boolean) | null = null;
  let stutterMs = () => STUTTER_MS_MIN;

  function carry(wire: Wire, from: Socket, to: Socket): void {
    from.on("data", (chunk: Buffer) => {
      if (stuttering?.() === true) {
        from.pause();
        setTimeout(() => {
          to.write(chunk);
          if (!silent && !wire.stranded) from.resume();
        }, stutterMs());
      } else if (latencyMs === 0) to.write(chunk);
      else setTimeout(() => to.write(chunk), latencyMs);
    });
    from.on("close", () => {
      wires.delete(wire);
      // Whoever is cut off silently is not told of the other's end either.
      if (!wire.stranded) to.destroy();
    });
    from.on("error", () => {});
  }

  const server = createServer((near) => {
    const far = connect(target);
    const wire: Wire = { ends: [near, far], stranded: false };
    wires.add(wire);
    carry(wire, near, far);
    carry(wire, far, near);
    if (silent) for (const end of wire.ends) end.pause();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy listens on no port");
  const all = (work: (end: Socket) => void) => {
    for (const { ends, stranded } of wires) if (!stranded) ends.forEach(work);
  };

  return {
    port: address.port,
    pass() {
      silent = false;
      latencyMs = 0;
      stuttering = null;
      all((end) => end.resume());
    },
    silence() {
      silent = true;
      all((end) => end.pause());
    },
    strand() {
      all((end) => end.pause());
      for (const wire of wires) wire.stranded = true;
    },
    reset() {
      for (const { ends, stranded } of wires) {
        if (stranded) continue;
        ends[0].resetAndDestroy();
        ends[1].destroy();
      }
    },
    latency: (ms) => {
      latencyMs = ms;
    },
    stutter(share, random) {
      stuttering = () => random() < share;
      stutterMs = () => STUTTER_MS_MIN + random() * (STUTTER_MS_MAX - STUTTER_MS_MIN);
    },
    async close() {
      server.close();
      for (const { ends } of wires) for (const end of ends) end.destroy();
    },
  };
}
