import { connect } from "node:net";

const ANSWER_MS_MAX = 15_000;

/** Sends bytes as they are, without a client that tidies them up, and gives all that comes back until the end. */
export async function sendRaw(port: number, bytes: string | Buffer): Promise<{ status: number; text: string }> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  // A server may cut off a request that it has refused.
  socket.on("error", () => socket.destroy());
  socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write(bytes);
  await closed;
  const text = Buffer.concat(chunks).toString("latin1");
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text };
}
