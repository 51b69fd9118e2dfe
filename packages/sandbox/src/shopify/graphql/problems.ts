import { type GraphQLError, Kind } from "graphql";

/** Shopify's wording for what is wrong with a document; other problems keep graphql-js's message. */
export function validationProblem(error: GraphQLError): unknown {
  const base = { locations: error.locations, path: pathOf(error) };
  const undefinedField = /^Cannot query field "(\w+)" on type "(\w+)"/.exec(error.message);
  if (undefinedField) {
    const [, fieldName = "", typeName = ""] = undefinedField;
    return {
      message: `Field '${fieldName}' doesn't exist on type '${typeName}'`,
      ...base,
      extensions: { code: "undefinedField", typeName, fieldName },
    };
  }
  const unknownArgument = /^Unknown argument "(\w+)" on field "(\w+)\.(\w+)"/.exec(error.message);
  if (unknownArgument) {
    const [, argumentName = "", , name = ""] = unknownArgument;
    const message = `Field '${name}' doesn't accept argument '${argumentName}'`;
    return { message, ...base, extensions: { code: "argumentNotAccepted", name, typeName: "Field", argumentName } };
  }
  const missing = /^(?:Field|Argument) "(?:\w+\.)?(\w+)(?:\((\w+):\))?" (?:argument "(\w+)" )?of type/.exec(
    error.message,
  );
  if (missing) {
    const [, name = "", inParentheses, named] = missing;
    const message = `Field '${name}' is missing required arguments: ${inParentheses ?? named ?? "?"}`;
    return {
      message,
      ...base,
      extensions: {
        code: "missingRequiredArguments",
        className: "Field",
        name,
        arguments: inParentheses ?? named ?? "",
      },
    };
  }
  return { message: error.message, ...base, extensions: { code: "BAD_REQUEST" } };
}

export function syntaxProblem(error: GraphQLError): unknown {
  const message = error.message.replace(/^Syntax Error: /, "syntax error, ");
  return { message, locations: error.locations, extensions: { code: "parseError" } };
}

/** Where in the document: `["query Name", "orders", "nodes", "foo"]` is more than graphql-js tells; we give the field alone. */
function pathOf(error: GraphQLError): string[] {
  const [node] = error.nodes ?? [];
  return node?.kind === Kind.FIELD ? ["query", node.name.value] : ["query"];
}
