import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import type { Figure, RunResult } from "./bench.ts";
import { figuresOf } from "./figures.ts";

/** Git ignores it. */
const FOLDER = "bench-results";

/** Prints the median of each figure over the runs, with the least and the most; keeps everything as JSON. */
export async function report(name: string, runs: readonly RunResult[], say: (line: string) => void): Promise<void> {
  say(`\n${name}: median of ${runs.length} (least – most), ${cpus().length} CPUs, load ${loadavg()[0]?.toFixed(1)}\n`);
  say("| what | median | least – most | target |");
  say("| --- | ---: | ---: | --- |");
  for (const { name: figure, unit, target } of runs[0]?.figures ?? []) {
    const values = runs.flatMap((run) => run.figures.filter((each) => each.name === figure).map(({ value }) => value));
    const { p50, max } = figuresOf(values);
    const print = (value: number) => printed(value, unit);
    say(`| ${figure} | ${print(p50)} | ${print(Math.min(...values))} – ${print(max)} | ${target ?? ""} |`);
  }
  const broken = runs.flatMap((run) => run.broken);
  say(broken.length === 0 ? "\nevery id was found where it belongs" : `\nBROKEN:\n${broken.join("\n")}`);
  await mkdir(FOLDER, { recursive: true });
  const path = join(FOLDER, `${name}-${new Date().toISOString().replaceAll(":", "")}.json`);
  const about = { at: new Date().toISOString(), cpus: cpus().map(({ model }) => model), node: process.version };
  await writeFile(path, JSON.stringify({ name, about, runs }, plainArrays));
  say(`raw figures: ${path}`);
}

function printed(value: number, unit: Figure["unit"]): string {
  if (!Number.isFinite(value)) return "–";
  const digits = unit === "×" ? 2 : value < 100 && !Number.isInteger(value) ? 1 : 0;
  return `${value.toFixed(digits)}${unit === "" ? "" : ` ${unit}`}`;
}

function plainArrays(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Float64Array) : value;
}
