import type { Violation } from "../check-history.ts";

const VIOLATIONS_SHOWN_MAX = 20;

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** @returns the exit code */
export function sayVerdict(violations: readonly Violation[]): number {
  say(`broken promises ${violations.length}`);
  for (const { rule, detail } of violations.slice(0, VIOLATIONS_SHOWN_MAX)) say(`  ${rule}: ${detail}`);
  return violations.length === 0 ? 0 : 1;
}

/** After `trials` without a failure. */
export function sayRuleOfThree(trials: number, what: string): void {
  say(
    `so with 95 % confidence fewer than ${(300 / trials).toPrecision(2)} % of ${what} break a promise (rule of three).`,
  );
}

export function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1_000).toFixed(1);
}

/** @throws Error that names the option */
export function wholeNumber(name: string, text: string, max: number): number {
  if (/^\d{1,10}$/.test(text) && Number(text) >= 1 && Number(text) <= max) return Number(text);
  throw new Error(`--${name} must be a whole number from 1 to ${max}`);
}
