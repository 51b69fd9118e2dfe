import { readFileSync } from "node:fs";
import {
  buildSchema,
  type GraphQLSchema,
  Kind,
  type ObjectTypeDefinitionNode,
  type FieldDefinitionNode,
  type InterfaceTypeDefinitionNode,
} from "graphql";

/** Reads the Admin schema subset that stands beside this folder. */
export function loadSchema(): GraphQLSchema {
  return buildSchema(readFileSync(new URL("../admin.graphql", import.meta.url), "utf8"));
}

/** The access scopes of which a type or field needs one; none: open to every token. */
export function scopesFor(
  node: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | FieldDefinitionNode | null | undefined,
): readonly string[] {
  const directive = node?.directives?.find((candidate) => candidate.name.value === "scopes");
  const value = directive?.arguments?.[0]?.value;
  if (value?.kind !== Kind.LIST) return [];
  return value.values.flatMap((scope) => (scope.kind === Kind.STRING ? [scope.value] : []));
}
