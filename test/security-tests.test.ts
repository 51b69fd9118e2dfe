/** `docs/security-tests.md` claims proofs: each row must lead to tests that run. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";

const root = new URL("../", import.meta.url);

/** The numbered items that the design promises. */
const IDS = [...numbered("V", 12), ...numbered("O", 14), ...numbered("T", 8)];

const rows = rowsOf(await readFile(new URL("docs/security-tests.md", root), "utf8"));

describe("docs/security-tests.md", () => {
  test("has one row for every numbered item, in order", () => {
    expect(rows.map(({ id }) => id).filter((id) => IDS.includes(id))).toEqual(IDS);
  });

  test.each(rows)("$id: says what it shows, where, and with which figure", async ({ id, shows, files, figure }) => {
    expect(shows.length, id).toBeGreaterThan(10);
    expect(figure.length, id).toBeGreaterThan(0);
    expect(files.length, id).toBeGreaterThan(0);
    for (const file of files) {
      const tests = testsOf(id, await readFile(new URL(file, root), "utf8"));
      expect(tests.length, `${file} has a test whose name begins with ${id}:`).toBeGreaterThan(0);
      expect(
        tests.filter((callee) => /\.(?:skip|todo|fails)\b/.test(callee)),
        `${file}: ${id} runs`,
      ).toEqual([]);
    }
  });
});

describe("the reading of test files", () => {
  test.each([
    ['test("V1: holds", f)', ["test"]],
    ['test.each([[1, "(2)"]])("V1: holds %s", f)', ["test.each"]],
    ['test.skip("V1: holds", f)', ["test.skip"]],
    ['test.skip.each([1])(\n  "V1: holds", f)', ["test.skip.each"]],
    ['test("V11: holds", f); test("holds V1: too", f); const name = "V1: x";', []],
  ])("%j", (source, callees) => {
    expect(testsOf("V1", source)).toEqual(callees);
  });
});

interface Row {
  readonly id: string;
  readonly shows: string;
  readonly files: readonly string[];
  readonly figure: string;
}

function rowsOf(markdown: string): readonly Row[] {
  return markdown.split("\n").flatMap((line) => {
    const [, id, shows = "", tests = "", figure = ""] = line.split("|").map((cell) => cell.trim());
    if (id === undefined || !/^(?:[VOTS]\d+|backup)$/.test(id)) return [];
    const files = [...tests.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file = ""]) => file);
    return [{ id, shows, files, figure }];
  });
}

/** What is called with a name that begins with the id: `test`, `test.each(…)`, `test.skip` … */
function testsOf(id: string, source: string): readonly string[] {
  return [...source.matchAll(new RegExp(`\\(\\s*["'\`]${id}[:,] `, "g"))].flatMap(({ index }) => {
    const callee = calleeBefore(source, index);
    return /^(?:test|it|describe)\b/.test(callee) ? [callee] : [];
  });
}

/**
 * The call that a name at `end` is given to: the nearest `test`, `it` or `describe` before it at the start of a line or
 * statement. A table of cases may stand between, with whatever brackets in its texts.
 */
function calleeBefore(source: string, end: number): string {
  const before = source.slice(0, end);
  if (/\b(?:test|it|describe)(?:\.\w+)*$/.test(before))
    return before.slice(before.search(/(?:test|it|describe)(?:\.\w+)*$/));
  if (!/[)>]$/.test(before)) return "";
  const starts = [...before.matchAll(/(?<![\w."'`])(?:test|it|describe)(?:\.\w+)+(?=[(<])/g)];
  return starts.at(-1)?.[0] ?? "";
}

function numbered(letter: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
}
