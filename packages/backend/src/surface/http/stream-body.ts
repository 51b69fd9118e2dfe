import type { Context } from "hono";
import type { HttpEnv } from "./env.ts";

/**
 * Answers with what `chunks` gives, as fast as the reader takes it: nothing is collected. A failure on the way breaks
 * the connection off, so that the reader cannot take a part for the whole.
 *
 * @param stop called once when the reader has gone or the stream has ended
 */
export function streamBody(
  c: Context<HttpEnv>,
  media: "text/event-stream" | "application/x-ndjson",
  chunks: AsyncGenerator<string, void>,
  stop: () => void,
): Response {
  const encoder = new TextEncoder();
  const log = c.get("log");
  let gone = false;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await chunks.next();
          if (gone) return;
          if (next.done !== true) return controller.enqueue(encoder.encode(next.value));
          stop();
          controller.close();
        } catch (error) {
          log.error({ error }, "stream broken off");
          stop();
          controller.error(new Error("stream broken off", { cause: error }));
        }
      },
      async cancel() {
        gone = true;
        stop();
        await chunks.return();
      },
    },
    { highWaterMark: 1 },
  );
  return c.body(body, 200, {
    "content-type": media === "text/event-stream" ? media : `${media}; charset=utf-8`,
    // Proxies that collect an answer before they pass it on would turn a stream into a wait.
    "x-accel-buffering": "no",
  });
}
