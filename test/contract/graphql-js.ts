/** What contract tests build on graphql-js. */
import {
  buildSchema,
  execute,
  getNamedType,
  getNullableType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  parse,
  validate,
} from "graphql";

export { buildSchema, type GraphQLSchema };

/** Messages of all rules that `document` breaks. */
export function problemsOf(schema: GraphQLSchema, document: string): readonly string[] {
  return validate(schema, parse(document)).map((error) => error.message);
}

/** Answers `document` from `data`, whose members stand for fields of the same name; what it lacks is `missing`'s. */
export async function answerFrom(
  schema: GraphQLSchema,
  document: string,
  data: object,
  missing: (field: { readonly type: string; readonly nullable: boolean; readonly list: boolean }) => unknown,
): Promise<{ readonly data: unknown; readonly errors: readonly string[] }> {
  const result = await execute({
    schema,
    document: parse(document),
    rootValue: data,
    variableValues: { first: 10, ids: [], id: "gid://shopify/X/1", topic: "ORDERS_UPDATED", subscription: {} },
    fieldResolver: (source, _args, _context, info) => {
      const value: unknown = Reflect.get(source as object, info.fieldName);
      return value === undefined ? missing(shapeOf(info.returnType)) : value;
    },
    // The type that the global id names; an object without one may be any.
    typeResolver: (value, _context, info, abstract) =>
      /^gid:\/\/shopify\/(\w+)\//.exec(String(Reflect.get(value as object, "id")))?.[1] ??
      info.schema.getPossibleTypes(abstract)[0]?.name,
  });
  // Stored and read again: graphql-js makes objects without a prototype.
  return {
    data: JSON.parse(JSON.stringify(result.data ?? null)),
    errors: (result.errors ?? []).map((error) => error.message),
  };
}

function shapeOf(type: GraphQLOutputType): { type: string; nullable: boolean; list: boolean } {
  const named = getNamedType(type);
  if (isEnumType(named))
    return { type: "enum", nullable: !isNonNullType(type), list: isListType(getNullableType(type)) };
  const name =
    isLeafType(named) || named.name === "MoneyBag" ? named.name : named.name.replace(/^\w+Connection$/, "Connection");
  return { type: name, nullable: !isNonNullType(type), list: isListType(getNullableType(type)) };
}
