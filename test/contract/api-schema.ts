/** Just enough of JSON Schema 2020-12 for what our OpenAPI document says, independent of the code that wrote it. */
type Schema = Readonly<Record<string, unknown>>;
export type Schemas = Readonly<Record<string, Schema>>;

/**
 * Where `value` does not fit `schema`: one sentence a place; empty when it fits.
 *
 * @throws Error on a keyword that this does not know: what is not checked must not look as if it were
 */
export function problemsOf(value: unknown, schema: Schema, schemas: Schemas, at = "$"): readonly string[] {
  const problems: string[] = [];
  for (const [keyword, argument] of Object.entries(schema)) {
    const check = CHECKS[keyword];
    if (check === undefined) throw new Error(`the document uses "${keyword}", which this test cannot check`);
    problems.push(...check({ value, argument, schema, schemas, at }));
  }
  return problems;
}

interface Check {
  readonly value: unknown;
  readonly argument: unknown;
  readonly schema: Schema;
  readonly schemas: Schemas;
  readonly at: string;
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isSafeInteger,
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
};

const CHECKS: Readonly<Record<string, (check: Check) => readonly string[]>> = {
  $ref({ value, argument, schemas, at }) {
    const name = String(argument).replace("#/components/schemas/", "");
    const target = schemas[name];
    return target === undefined ? [`${at}: ${String(argument)} leads nowhere`] : problemsOf(value, target, schemas, at);
  },
  type({ value, argument, at }) {
    const types = [argument].flat().map(String);
    return types.some((type) => TYPES[type]?.(value)) ? [] : [`${at}: not of type ${types.join(" or ")}`];
  },
  enum: ({ value, argument, at }) =>
    Array.isArray(argument) && argument.includes(value) ? [] : [`${at}: not one of ${JSON.stringify(argument)}`],
  const: ({ value, argument, at }) => (value === argument ? [] : [`${at}: not ${JSON.stringify(argument)}`]),
  anyOf({ value, argument, schemas, at }) {
    const tries = (argument as readonly Schema[]).map((option) => problemsOf(value, option, schemas, at));
    return tries.some((problems) => problems.length === 0) ? [] : [`${at}: fits none of ${tries.length} options`];
  },
  properties: ({ value, argument, schemas, at }) =>
    isObject(value)
      ? Object.entries(argument as Schemas).flatMap(([name, member]) =>
          Object.hasOwn(value, name) ? problemsOf(value[name], member, schemas, `${at}.${name}`) : [],
        )
      : [],
  required: ({ value, argument, at }) =>
    isObject(value)
      ? (argument as readonly string[])
          .filter((name) => !Object.hasOwn(value, name))
          .map((name) => `${at}: lacks ${name}`)
      : [],
  additionalProperties({ value, argument, schema, schemas, at }) {
    if (!isObject(value)) return [];
    const known = new Set(Object.keys((schema["properties"] ?? {}) as object));
    return Object.entries(value)
      .filter(([name]) => !known.has(name))
      .flatMap(([name, member]) =>
        argument === false
          ? [`${at}: has ${name}, which is not documented`]
          : problemsOf(member, argument as Schema, schemas, `${at}.${name}`),
      );
  },
  propertyNames: ({ value, argument, schemas, at }) =>
    isObject(value)
      ? Object.keys(value).flatMap((name) => problemsOf(name, argument as Schema, schemas, `${at} (its name ${name})`))
      : [],
  items: ({ value, argument, schemas, at }) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => problemsOf(item, argument as Schema, schemas, `${at}[${index}]`))
      : [],
  minItems: atLeast((value) => (Array.isArray(value) ? value.length : null)),
  maxItems: atMost((value) => (Array.isArray(value) ? value.length : null)),
  minLength: atLeast((value) => (typeof value === "string" ? value.length : null)),
  maxLength: atMost((value) => (typeof value === "string" ? value.length : null)),
  minimum: atLeast((value) => (typeof value === "number" ? value : null)),
  maximum: atMost((value) => (typeof value === "number" ? value : null)),
  pattern: ({ value, argument, at }) =>
    typeof value !== "string" || new RegExp(String(argument), "u").test(value) ? [] : [`${at}: not of the form`],
  // Notes for readers; `pattern` beside `format` is what is checked.
  format: () => [],
  default: () => [],
  description: () => [],
};

function atLeast(measure: (value: unknown) => number | null) {
  return ({ value, argument, at }: Check) =>
    (measure(value) ?? Infinity) >= Number(argument) ? [] : [`${at}: too small`];
}

function atMost(measure: (value: unknown) => number | null) {
  return ({ value, argument, at }: Check) =>
    (measure(value) ?? -Infinity) <= Number(argument) ? [] : [`${at}: too big`];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
