import { z } from "zod";
import { jsonOrNull } from "../../platform/runtime/index.ts";

/** Cannot go on; the message is a sentence for the developer. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

const FeedEvent = z.looseObject({ id: z.string(), type: z.string(), tenantId: z.string().nullable() });
export type FeedEvent = z.output<typeof FeedEvent>;
const FeedPage = z.object({ data: z.array(FeedEvent), hasMore: z.boolean(), nextCursor: z.string() });
export type FeedPage = z.output<typeof FeedPage>;

const Refusal = z.object({ detail: z.string() });
const DEADLINE_MS = 30_000;

/**
 * A page of the feed behind `cursor`; without one, an empty page at its end.
 *
 * @returns `unreachable` when the same may work later
 * @throws ListenError when it will not
 */
export async function fetchFeedPage(
  source: { readonly baseUrl: string; readonly apiKey: string; readonly signal: AbortSignal },
  cursor: string | null,
): Promise<FeedPage | "unreachable"> {
  const url = new URL(`${source.baseUrl.replace(/\/+$/, "")}/v1/events`);
  if (cursor === null) url.searchParams.set("from", "latest");
  if (cursor !== null) url.searchParams.set("after", cursor);
  const answer = await getJson(url, source);
  if (answer === null || answer.status >= 500 || answer.status === 429) return "unreachable";
  if (answer.status !== 200) {
    const detail = Refusal.safeParse(answer.body).data?.detail ?? `it answered ${answer.status}`;
    throw new ListenError(`Patchbay refused: ${detail}`);
  }
  const page = FeedPage.safeParse(answer.body);
  if (!page.success) throw new ListenError(`${source.baseUrl} does not answer like Patchbay; check --url`);
  return page.data;
}

/** `null` when no answer came. */
async function getJson(
  url: URL,
  source: { readonly apiKey: string; readonly signal: AbortSignal },
): Promise<{ readonly status: number; readonly body: unknown } | null> {
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${source.apiKey}`, accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.any([source.signal, AbortSignal.timeout(DEADLINE_MS)]),
    });
    const text = await response.text();
    return { status: response.status, body: jsonOrNull(text) };
  } catch (error) {
    if (source.signal.aborted) throw error;
    return null;
  }
}
