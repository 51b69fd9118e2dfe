import { DrizzleQueryError } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Secret } from "../runtime/index.ts";
import { createLogger } from "./index.ts";

const VALUE = "shpat_0123456789abcdef";

/** The line that `fields` make. */
function lineOf(fields: Readonly<Record<string, unknown>>): string {
  const lines: string[] = [];
  createLogger("info", { write: (line) => lines.push(line) }).error(fields, "failed");
  return lines.join("");
}

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

function aDatabaseError(code: string): Error {
  return Object.assign(new Error(`invalid input syntax for type uuid: "${VALUE}"`), {
    name: "PostgresError",
    code,
    detail: `Key (secret)=(${VALUE}) already exists.`,
    where: `unnamed portal parameter $1 = '${VALUE}'`,
    constraint_name: "grants_account",
    parameters: [VALUE],
  });
}

const aQueryError = (code: string) =>
  new DrizzleQueryError("insert into grants values ($1)", [VALUE, Buffer.from(VALUE)], aDatabaseError(code));

describe("createLogger", () => {
  test.each([
    ["a failed query", { error: aQueryError("22P02") }],
    ["a failed query under another key", { err: aQueryError("23505"), reason: aQueryError("23505") }],
    [
      "a failed query as a cause of a cause",
      { error: new Error("a", { cause: new Error("b", { cause: aQueryError("22P02") }) }) },
    ],
    ["a failed query among several errors", { error: new AggregateError([aQueryError("22P02")], "all failed") }],
    ["a database error", { error: aDatabaseError("23505") }],
    ["a body that is no JSON", { error: thrownBy(() => JSON.parse(VALUE)) }],
    ["an address that is none", { error: thrownBy(() => new URL(VALUE)) }],
    ["a value that did not fit its schema", { error: z.strictObject({}).safeParse({ [VALUE]: 1 }).error }],
    ["a secret", { token: new Secret(VALUE) }],
  ])("prints no value of %s", (_, fields) => {
    expect(lineOf(fields)).not.toContain(VALUE);
  });

  test("prints no value that a message of several lines makes look like a stack frame", () => {
    const error = new DrizzleQueryError("select $1", [`\n    at ${VALUE}\n`]);
    expect(lineOf({ error })).not.toContain(VALUE);
  });

  test("binds fields without values of errors", () => {
    const lines: string[] = [];
    createLogger("info", { write: (line) => lines.push(line) })
      .with({ cause: aQueryError("23505") })
      .info({}, "bound");
    expect(lines.join("")).not.toContain(VALUE);
  });

  test("tells the kind, code, constraint and SQL of a failed query, and where it was made", () => {
    const line: unknown = JSON.parse(lineOf({ error: aQueryError("23505") }));
    expect(line).toMatchObject({
      msg: "failed",
      error: {
        type: "DrizzleQueryError",
        query: "insert into grants values ($1)",
        stack: expect.stringContaining("logger.test.ts"),
        cause: { type: "PostgresError", code: "23505", constraint: "grants_account" },
      },
    });
  });

  test("tells the message and code of an error of our own", () => {
    const error = Object.assign(new Error("the tenant was not written"), { code: "ECONNRESET" });
    expect(JSON.parse(lineOf({ error }))).toMatchObject({
      error: { type: "Error", message: "the tenant was not written", code: "ECONNRESET" },
    });
  });

  test("survives an error that is its own cause", () => {
    const error = new Error("circle");
    error.cause = error;
    expect(lineOf({ error })).toContain("circle");
  });
});
