import { AppError, type FieldProblem } from "@patchbay/shared";
import { fieldsOf, placementsOf, type CredentialField, type DirectAuth } from "../../connectors/kit/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import type { Fields } from "./token-pair.ts";

/** Longer than any key, certificate chain or assertion key. */
const VALUE_LENGTH_MAX = 20_000;

/**
 * Values of the declared fields and nothing else, checked as the connector says. What was given is never quoted.
 *
 * @throws AppError `invalid_credentials` with every field that is wrong
 */
export function parseFields(method: DirectAuth, given: Readonly<Record<string, string>>): Fields {
  const declared = fieldsOf(method);
  const problems: FieldProblem[] = Object.keys(given)
    .filter((name) => !declared.some((field) => field.name === name))
    .map((name) => ({ path: `fields.${name.slice(0, 40)}`, message: "is no field of this method" }));
  const values: Record<string, Secret> = {};
  for (const field of declared) {
    const value = (given[field.name] ?? "").trim();
    const problem = problemOf(field, value) ?? basicProblemOf(method, field, value);
    if (problem !== null) problems.push({ path: `fields.${field.name}`, message: problem });
    if (value !== "") values[field.name] = new Secret(value);
  }
  if (problems.length > 0) {
    throw new AppError("invalid_credentials", `${method.name}: some fields are not as they should be`, {
      errors: problems,
    });
  }
  return values;
}

function problemOf(field: CredentialField, value: string): string | null {
  if (value === "") return field.required ? "is missing" : null;
  if (value.length > VALUE_LENGTH_MAX) return "is too long";
  if (!field.multiline && /[\r\n]/.test(value)) return "must be one line";
  if (field.prefixes.length > 0 && !field.prefixes.some((prefix) => value.startsWith(prefix))) {
    return `must begin with ${field.prefixes.join(" or ")}`;
  }
  return field.pattern.test(value) ? null : "does not look like one; copy it whole";
}

/** What HTTP Basic cannot carry (RFC 7617, 2): the first colon ends the user name. */
function basicProblemOf(method: DirectAuth, { name }: CredentialField, value: string): string | null {
  const carrying = placementsOf(method).filter((placement) => placement.kind === "basic");
  if (carrying.some(({ username }) => username === name) && value.includes(":")) {
    return "must not have a colon: HTTP Basic cannot carry it in this place";
  }
  const isCarried = carrying.some(({ username, password }) => username === name || password === name);
  return isCarried && /\p{Cc}/u.test(value) ? "must not have control characters" : null;
}
