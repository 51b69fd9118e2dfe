import type postgres from "postgres";

/** What is told on a channel. */
export interface Hearing {
  /** Each payload. */
  readonly onWake: (payload: string) => void;
  /** It begins to hear, at first and each time after it did not: what was told before was missed. */
  readonly onHearing?: () => void;
  /** It does not hear, and tries again until it does; told once. */
  readonly onDeaf?: (error: unknown) => void;
}

export interface Listener {
  /** Resolves after the first try, whether or not it went well. */
  listen(channel: string, hearing: Hearing): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}

/** A connection that tells what it hears, and that it is gone. */
export type OpenSession = (hooks: {
  readonly onnotify: (channel: string, payload: string) => void;
  readonly onclose: () => void;
}) => postgres.Sql;

interface Session {
  readonly client: postgres.Sql;
  /** Those whose channels it listens on. */
  readonly heard: Set<Subscription>;
}

interface Subscription extends Hearing {
  readonly channel: string;
}

/** A connection that answers hears: nothing else shows that a silent one is still there. */
const CHECK_EVERY_MS = 5_000;
const ANSWER_MS_MAX = 5_000;
const AGAIN_AFTER_MS = 1_000;

/**
 * Hears notifications on any number of channels over one connection. Whenever that is lost, silently too, it opens
 * another one until one hears.
 *
 * Not the driver's own `listen`: it tries once after a lost connection, and then never again.
 */
export function createListener(
  open: OpenSession,
  { checkEveryMs = CHECK_EVERY_MS, answerMsMax = ANSWER_MS_MAX, againAfterMs = AGAIN_AFTER_MS } = {},
): Listener {
  const subscriptions = new Set<Subscription>();
  let session: Session | null = null;
  let closed = false;
  let looking: Promise<void> = Promise.resolve();
  let deaf = false;
  let again: NodeJS.Timeout | undefined;
  let checking: NodeJS.Timeout | undefined;

  function begin(): Session {
    const begun: Session = {
      client: open({
        onnotify: (channel, payload) => {
          for (const each of begun.heard) if (each.channel === channel) each.onWake(payload);
        },
        onclose: () => lose(begun, new Error("the connection that hears notifications was lost")),
      }),
      heard: new Set(),
    };
    return begun;
  }

  /** One after the other: each finds what the one before it left. */
  function look(): Promise<void> {
    looking = looking.then(makeSure);
    return looking;
  }

  async function makeSure(): Promise<void> {
    if (closed || subscriptions.size === 0) return;
    const current = (session ??= begin());
    const unheard = [...subscriptions].filter((each) => !current.heard.has(each));
    const statements = unheard.map(({ channel }) => `listen "${channel}"`);
    try {
      await within(answerMsMax, current.client.unsafe(["select 1 as listening", ...statements].join("; ")).simple());
    } catch (error) {
      lose(current, error);
      return;
    }
    if (session !== current) return;
    deaf = false;
    for (const each of unheard) {
      current.heard.add(each);
      each.onHearing?.();
    }
  }

  function lose(lost: Session, error: unknown): void {
    if (session !== lost) return;
    session = null;
    endNow(lost);
    if (closed) return;
    if (!deaf) for (const each of subscriptions) each.onDeaf?.(error);
    deaf = true;
    clearTimeout(again);
    again = setTimeout(() => void look(), againAfterMs);
  }

  return {
    async listen(channel, hearing) {
      const subscription = { ...hearing, channel };
      subscriptions.add(subscription);
      checking ??= setInterval(() => void look(), checkEveryMs);
      await look();
      return {
        async close() {
          subscriptions.delete(subscription);
          session?.heard.delete(subscription);
        },
      };
    },
    async close() {
      closed = true;
      clearInterval(checking);
      clearTimeout(again);
      const last = session;
      session = null;
      if (last !== null) endNow(last);
      await looking;
    },
  };
}

/** Without waiting for an answer, which a silent connection would never give. */
function endNow({ client }: Session): void {
  client.end({ timeout: 0 }).catch(() => {});
}

async function within(ms: number, answer: PromiseLike<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms`)), ms);
  try {
    await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
