import type { Clock } from "../world.ts";

const MAXIMUM = 2000;
const RESTORE_PER_SECOND = 100;

export interface ThrottleStatus {
  readonly maximumAvailable: number;
  readonly currentlyAvailable: number;
  readonly restoreRate: number;
}

/** Shopify's leaky bucket of query points, one per app and store. */
export class Bucket {
  readonly #clock: Clock;
  #available = MAXIMUM;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.now().getTime();
  }

  /** Takes the points, or says no and takes none. */
  take(points: number): boolean {
    this.#restore();
    if (points > this.#available) return false;
    this.#available -= points;
    return true;
  }

  giveBack(points: number): void {
    this.#available = Math.min(MAXIMUM, this.#available + points);
  }

  status(): ThrottleStatus {
    this.#restore();
    return {
      maximumAvailable: MAXIMUM,
      currentlyAvailable: Math.floor(this.#available),
      restoreRate: RESTORE_PER_SECOND,
    };
  }

  #restore(): void {
    const now = this.#clock.now().getTime();
    this.giveBack((Math.max(0, now - this.#at) / 1000) * RESTORE_PER_SECOND);
    this.#at = now;
  }
}
