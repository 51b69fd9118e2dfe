/** How long a key service may take. A call lasts at most `tries × (tryMs + {@link WAIT_MS_MAX})`. */
export interface Limits {
  readonly tryMs: number;
  readonly tries: number;
}

export const LIMITS: Limits = { tryMs: 2_000, tries: 3 };
export const WAIT_MS_MAX = 400;
