import { parseArgs } from "node:util";
import { runLoop } from "./loop/run-loop.ts";

const USAGE = `pnpm bench loop [--short] [--orders N] [--rate N] [--seconds N]

Measures the way of one order: from the webhook that the sandbox store sends to the event that the host verified.
  --short      a quick look, at most 20 seconds
  --orders N   placed one after another (50)
  --rate N     per second, placed on schedule whether or not the former arrived (3)
  --seconds N  for so long (20)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: "boolean", default: false },
    orders: { type: "string" },
    rate: { type: "string" },
    seconds: { type: "string" },
  },
});
if (positionals[0] !== "loop") {
  console.log(USAGE);
  process.exit(positionals.length === 0 ? 0 : 2);
}
// A store gives 100 points a second, and reading an order with its customer takes some 20: beyond 4 orders a second the
// figures show the provider's budget, not us.
const figures = values.short ? { orders: 20, rate: 3, seconds: 5 } : { orders: 50, rate: 3, seconds: 20 };
const lost = await runLoop({
  orders: count("orders", values.orders, figures.orders, 10_000),
  rate: count("rate", values.rate, figures.rate, 500),
  seconds: count("seconds", values.seconds, figures.seconds, 600),
});
process.exit(lost === 0 ? 0 : 1);

function count(name: string, text: string | undefined, fallback: number, max: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  console.error(`--${name} must be a whole number from 1 to ${max}`);
  process.exit(2);
}
