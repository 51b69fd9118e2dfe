/** How much of one lane may be under way. */
export interface Room {
  /** Requests not answered yet. */
  readonly requests: number;
  /** Those, and attempts that are not written down yet: what a crash may send again. */
  readonly attempts: number;
}

/** Attempts of one lane that are under way, from the request until they are written down. */
export interface InFlight {
  /**
   * Waits until there is room, and nothing about `subject` is under way.
   *
   * @param room looked at again whenever something landed
   * @throws what one of them failed with
   */
  room(room: () => Room, subject: string): Promise<void>;
  /** @param attempt calls `answered` once its request is through */
  add(subject: string, attempt: (answered: () => void) => Promise<void>): void;
  /** Waits for all of them. @throws what one of them failed with */
  landed(): Promise<void>;
}

export function createInFlight(): InFlight {
  const bySubject = new Map<string, Promise<void>>();
  let requests = 0;
  let failure: { readonly reason: unknown } | null = null;
  let change = Promise.withResolvers<void>();
  const tell = () => {
    change.resolve();
    change = Promise.withResolvers();
  };
  const check = () => {
    if (failure !== null) throw failure.reason;
  };
  return {
    async room(room, subject) {
      const isFull = () => requests >= room().requests || bySubject.size >= room().attempts || bySubject.has(subject);
      check();
      while (isFull()) {
        await change.promise;
        check();
      }
    },
    add(subject, attempt) {
      let answered = false;
      const end = () => {
        if (!answered) requests -= 1;
        answered = true;
        tell();
      };
      requests += 1;
      const landing = attempt(end)
        .catch((reason: unknown) => {
          failure ??= { reason };
        })
        .finally(() => {
          bySubject.delete(subject);
          end();
        });
      bySubject.set(subject, landing);
    },
    async landed() {
      await Promise.all(bySubject.values());
      check();
    },
  };
}
