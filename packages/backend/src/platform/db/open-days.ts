/** Whoever asks waits no longer; the day is opened all the same, for the next. */
export const OPEN_WAIT_MS_MAX = 2_000;

/**
 * Lets many ask for days that nobody thought of, such as all deliveries at once after a clock jumped: one round at a
 * time, each for all that was asked for since the one before began.
 *
 * @returns resolves when the days are there, rejects when they are not, or not in time
 */
export function createDayOpener(
  open: (instants: readonly Date[]) => Promise<void>,
  waitMsMax = OPEN_WAIT_MS_MAX,
): (instants: readonly Date[]) => Promise<void> {
  let running = Promise.resolve();
  let next: { readonly instants: Date[]; readonly done: Promise<void> } | null = null;

  function nextRound(): NonNullable<typeof next> {
    const instants: Date[] = [];
    const begin = () => {
      next = null;
      return open(instants);
    };
    const done = running.then(begin, begin);
    // Who asked may have gone.
    done.catch(() => {});
    running = done;
    return { instants, done };
  }

  return async (instants) => {
    next ??= nextRound();
    next.instants.push(...instants);
    await within(next.done, waitMsMax);
  };
}

async function within(work: Promise<void>, waitMsMax: number): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`the inbox's day was not opened within ${waitMsMax} ms`)), waitMsMax);
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
