/** Requests of one lane that are under way. */
export interface InFlight {
  /**
   * Waits until fewer than `atOnce` are under way, and none about `subject`.
   *
   * @throws what one of them failed with
   */
  room(atOnce: number, subject: string): Promise<void>;
  add(subject: string, request: Promise<void>): void;
  /** Waits for all of them. @throws what one of them failed with */
  landed(): Promise<void>;
}

export function createInFlight(): InFlight {
  const bySubject = new Map<string, Promise<void>>();
  let failure: { readonly reason: unknown } | null = null;
  const check = () => {
    if (failure !== null) throw failure.reason;
  };
  return {
    async room(atOnce, subject) {
      check();
      while (bySubject.size >= atOnce || bySubject.has(subject)) {
        await Promise.race(bySubject.values());
        check();
      }
    },
    add(subject, request) {
      const landing = request
        .catch((reason: unknown) => {
          failure ??= { reason };
        })
        .finally(() => bySubject.delete(subject));
      bySubject.set(subject, landing);
    },
    async landed() {
      await Promise.all(bySubject.values());
      check();
    },
  };
}
