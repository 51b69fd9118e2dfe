/** What a filter can compare: text, instants, whole numbers and ids, and yes/no. */
export type Value = bigint | boolean | Date | number | string | null;

/** Fields a resource can be filtered by. `default` is searched by words without a field, and by unknown fields. */
export interface Searchable<T> {
  readonly fields: Readonly<Record<string, (item: T) => readonly Value[]>>;
  readonly text: (item: T) => readonly (string | null)[];
}

export type Predicate<T> = (item: T) => boolean;

const MAX_QUERY_LENGTH = 10_000;

/**
 * Compiles Shopify's search syntax: `field:value`, `field:>='…'`, words, `AND` `OR` `NOT` `-`, parentheses, `prefix*`.
 * A field nobody knows is no error: its value is searched as text, as Shopify does.
 */
export function compileSearch<T>(query: string | null | undefined, spec: Searchable<T>): Predicate<T> {
  const tokens = tokenize((query ?? "").slice(0, MAX_QUERY_LENGTH));
  if (tokens.length === 0) return () => true;
  const cursor = { at: 0 };
  return parseOr(tokens, cursor, spec);
}

type Token =
  | { readonly kind: "and" | "close" | "not" | "open" | "or" }
  | { readonly kind: "term"; readonly field: string | null; readonly operator: Operator; readonly value: string };

type Operator = ":" | "<" | "<=" | ">" | ">=";

function tokenize(query: string): Token[] {
  const pattern = /\s*(?:(\()|(\))|(-)?(?:([A-Za-z_][\w.]*):(>=|<=|>|<)?)?(?:'([^']*)'|"([^"]*)"|([^\s()'"]+)))/y;
  const tokens: Token[] = [];
  for (;;) {
    const match = pattern.exec(query);
    if (!match) return tokens;
    const [, open, close, minus, field, operator, single, double, bare] = match;
    if (open) tokens.push({ kind: "open" });
    else if (close) tokens.push({ kind: "close" });
    else
      tokens.push(
        ...term({ minus, field, operator, value: single ?? double ?? bare ?? "", isBare: bare !== undefined }),
      );
  }
}

function term(parts: {
  readonly minus: string | undefined;
  readonly field: string | undefined;
  readonly operator: string | undefined;
  readonly value: string;
  readonly isBare: boolean;
}): Token[] {
  const { minus, field, operator, value, isBare } = parts;
  if (isBare && !field && !minus) {
    if (value === "AND") return [{ kind: "and" }];
    if (value === "OR") return [{ kind: "or" }];
    if (value === "NOT") return [{ kind: "not" }];
  }
  const found: Token = { kind: "term", field: field ?? null, operator: toOperator(operator), value };
  return minus ? [{ kind: "not" }, found] : [found];
}

function toOperator(text: string | undefined): Operator {
  return text === ">" || text === ">=" || text === "<" || text === "<=" ? text : ":";
}

function parseOr<T>(tokens: readonly Token[], cursor: { at: number }, spec: Searchable<T>): Predicate<T> {
  let left = parseAnd(tokens, cursor, spec);
  while (tokens[cursor.at]?.kind === "or") {
    cursor.at++;
    const [before, right] = [left, parseAnd(tokens, cursor, spec)];
    left = (item) => before(item) || right(item);
  }
  return left;
}

function parseAnd<T>(tokens: readonly Token[], cursor: { at: number }, spec: Searchable<T>): Predicate<T> {
  let left = parseNot(tokens, cursor, spec);
  for (;;) {
    const kind = tokens[cursor.at]?.kind;
    if (kind === undefined || kind === "or" || kind === "close") return left;
    if (kind === "and") cursor.at++;
    const [before, right] = [left, parseNot(tokens, cursor, spec)];
    left = (item) => before(item) && right(item);
  }
}

function parseNot<T>(tokens: readonly Token[], cursor: { at: number }, spec: Searchable<T>): Predicate<T> {
  const token = tokens[cursor.at];
  if (!token) return () => true;
  cursor.at++;
  if (token.kind === "not") {
    const inner = parseNot(tokens, cursor, spec);
    return (item) => !inner(item);
  }
  if (token.kind === "open") {
    const inner = parseOr(tokens, cursor, spec);
    if (tokens[cursor.at]?.kind === "close") cursor.at++;
    return inner;
  }
  return token.kind === "term" ? compileTerm(token, spec) : () => true;
}

function compileTerm<T>(token: Extract<Token, { kind: "term" }>, spec: Searchable<T>): Predicate<T> {
  const read = token.field === null ? undefined : spec.fields[token.field];
  if (read) return (item) => read(item).some((value) => compare(value, token.operator, token.value));
  const words = token.value.toLowerCase().replace(/\*$/, "");
  return (item) => spec.text(item).some((text) => text?.toLowerCase().includes(words));
}

function compare(value: Value, operator: Operator, wanted: string): boolean {
  if (value === null) return false;
  if (value instanceof Date) return compareDates(value, operator, wanted);
  if (typeof value === "boolean") return String(value) === wanted.toLowerCase();
  if (typeof value === "string") return compareText(value.toLowerCase(), operator, wanted.toLowerCase());
  const number = wanted.replace(/^gid:\/\/shopify\/\w+\//, "").replace(/\?.*$/, "");
  if (!/^-?\d+(\.\d+)?$/.test(number)) return false;
  if (typeof value === "number") return holds(value - Number(number), operator);
  const difference = value - BigInt(number.replace(/\..*$/, ""));
  return holds(difference < 0n ? -1 : difference > 0n ? 1 : 0, operator);
}

const DAY_MS = 86_400_000;

function compareDates(value: Date, operator: Operator, wanted: string): boolean {
  const at = Date.parse(/^\d{4}-\d\d-\d\dT[\d:.]+$/.test(wanted) ? `${wanted}Z` : wanted);
  if (Number.isNaN(at)) return false;
  const wholeDay = operator === ":" && /^\d{4}-\d\d-\d\d$/.test(wanted);
  if (wholeDay) return value.getTime() >= at && value.getTime() < at + DAY_MS;
  return holds(value.getTime() - at, operator);
}

function compareText(value: string, operator: Operator, wanted: string): boolean {
  if (operator !== ":") return holds(value < wanted ? -1 : value > wanted ? 1 : 0, operator);
  return wanted.endsWith("*") ? value.startsWith(wanted.slice(0, -1)) : value === wanted;
}

function holds(difference: number, operator: Operator): boolean {
  switch (operator) {
    case ":":
      return difference === 0;
    case "<":
      return difference < 0;
    case "<=":
      return difference <= 0;
    case ">":
      return difference > 0;
    case ">=":
      return difference >= 0;
    default:
      return operator satisfies never;
  }
}
