import { connect, type Socket } from "node:net";

/** How finely silence is measured: a paused process counts one of them, however long it was paused. */
const TICKS = 8;

/**
 * Begins a connection that is destroyed when nothing comes in for `silentMsMax`: since something was asked, or at all.
 * So that one which stays open and never answers ends for the driver as well, which tells whoever waits and connects
 * anew.
 *
 * It looks at the bytes that came and went, not at events: encryption takes the socket over, listeners and all.
 *
 * @returns at once: what is written meanwhile goes out when it is open
 */
export function connectWatched(
  target: { readonly path: string } | { readonly host: string; readonly port: number },
  silentMsMax: number,
): Socket {
  // The driver looks there for the name that the server's certificate must have.
  const socket = Object.assign(connect(target), "host" in target ? { host: target.host } : {});
  let heard = 0;
  let saidBefore = 0;
  let asking = false;
  let silentTicks = 0;
  const timer = setInterval(() => {
    if (socket.destroyed) {
      clearInterval(timer);
      return;
    }
    if (socket.bytesRead !== heard) {
      heard = socket.bytesRead;
      saidBefore = socket.bytesWritten;
      asking = false;
      silentTicks = 0;
      return;
    }
    silentTicks += 1;
    if (!asking && socket.bytesWritten !== saidBefore) {
      asking = true;
      silentTicks = 0;
    }
    if (silentTicks >= TICKS) socket.destroy();
  }, silentMsMax / TICKS);
  timer.unref();
  return socket;
}
