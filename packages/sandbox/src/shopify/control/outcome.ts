import { fromDecimal } from "../money.ts";
import { Refused } from "../store.ts";

/** What a control call answers: a sentence for people, and ids and figures for programs. */
export interface Outcome {
  readonly message: string;
  readonly [key: string]: boolean | number | string | null | readonly string[];
}

/** Reads an amount somebody typed. */
export function minor(text: string, currency: string): number {
  const amount = fromDecimal(text, currency);
  if (amount === null) throw new Refused(`${text} is not an amount of ${currency}.`);
  return amount;
}
