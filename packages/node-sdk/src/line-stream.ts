import { ApiAbortError, ApiConnectionError, PatchbayError } from "./errors.ts";

interface LineSource {
  readonly deadline: (ms: number) => AbortSignal;
  /** How long nothing may come before the connection counts as lost. */
  readonly silenceMsMax: number;
  /** Ends the connection. */
  readonly stop: AbortController;
  /** The caller's own; ends it, too. */
  readonly signal: AbortSignal | undefined;
}

/** A line longer than this is not ours. */
const LINE_LENGTH_MAX = 32 * 1024 * 1024;

/**
 * The lines of an answer as they come, without their ends. An answer that breaks off is an error: what came is no whole.
 *
 * @throws ApiAbortError, ApiConnectionError
 */
export async function* readLines(body: ReadableStream<Uint8Array>, source: LineSource): AsyncGenerator<string, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await readChunk(reader, source);
      if (done) break;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LINE_LENGTH_MAX) throw new PatchbayError(`a line of more than ${LINE_LENGTH_MAX} characters`);
      yield* lines;
    }
    if (rest !== "") yield rest;
  } finally {
    source.stop.abort();
  }
}

async function readChunk(reader: ReadableStreamDefaultReader<Uint8Array>, source: LineSource) {
  const { deadline, silenceMsMax, stop, signal } = source;
  const silence = deadline(silenceMsMax);
  const giveUp = () => stop.abort();
  silence.addEventListener("abort", giveUp, { once: true });
  if (silence.aborted) giveUp();
  try {
    return await reader.read();
  } catch (cause) {
    if (signal?.aborted) throw new ApiAbortError("the request was aborted", { cause });
    const reason = silence.aborted ? `nothing came for ${silenceMsMax} ms` : "the stream broke off";
    throw new ApiConnectionError(reason, { cause });
  } finally {
    silence.removeEventListener("abort", giveUp);
  }
}
