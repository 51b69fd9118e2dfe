import {
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  type GraphQLField,
  type GraphQLSchema,
  isCompositeType,
  isListType,
  isNullableType,
  isObjectType,
  isInterfaceType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type GraphQLCompositeType,
  type ValueNode,
} from "graphql";

const MUTATION_COST = 10;
const DEFAULT_LIST_SIZE = 10;
/** Chosen so that `product { variants(first: 250) { nodes { inventoryItem { id } } } }` costs 25, the one figure known. */
const SIZE_FACTOR = 0.7;

/** Values rather than objects: the two sides of a money bag are not charged beside the bag. */
const FREE = new Set(["MoneyV2"]);

export interface CostInput {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Points before the query runs: every page is taken to be full. Not Shopify's formula, which is not published. */
export function requestedCost(input: CostInput): number {
  return Math.max(1, Math.round(costOf(input, undefined)));
}

/** Points by what came back: pages count with the rows they hold, nulls cost nothing. */
export function actualCost(input: CostInput, data: unknown): number {
  return Math.max(1, Math.round(costOf(input, data ?? null)));
}

function costOf(input: CostInput, data: unknown): number {
  const root = input.operation.operation === "mutation" ? input.schema.getMutationType() : input.schema.getQueryType();
  return root
    ? selectionCost(input, input.operation.selectionSet, root, data, input.operation.operation === "mutation")
    : 0;
}

function selectionCost(
  input: CostInput,
  set: SelectionSetNode,
  type: GraphQLCompositeType,
  data: unknown,
  isMutation = false,
): number {
  let sum = 0;
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      sum += fieldCost(input, selection, type, data) + (isMutation ? MUTATION_COST : 0);
      continue;
    }
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? input.fragments.get(selection.name.value) : selection;
    const condition = fragment?.typeCondition ? input.schema.getType(fragment.typeCondition.name.value) : type;
    if (fragment && isCompositeType(condition)) sum += selectionCost(input, fragment.selectionSet, condition, data);
  }
  return sum;
}

function fieldCost(input: CostInput, node: FieldNode, type: GraphQLCompositeType, data: unknown): number {
  const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
  if (!field || !node.selectionSet) return 0;
  const target = getNamedType(field.type);
  if (!isCompositeType(target) || FREE.has(target.name)) return 0;
  const key = node.alias?.value ?? node.name.value;
  const value = data === undefined ? undefined : memberOf(data, key);
  if (value === null) return 0;
  if (target.name.endsWith("Connection")) {
    const child = connectionChildCost(input, node.selectionSet, target, value);
    return 1 + Math.ceil(SIZE_FACTOR * Math.sqrt(value === undefined ? askedSize(input, node) : rowsOf(value)) * child);
  }
  if (isListType(isNullableType(field.type) ? field.type : field.type.ofType) && sized(field)) {
    const rows = Array.isArray(value) ? value.filter((row) => row !== null) : undefined;
    const child = 1 + selectionCost(input, node.selectionSet, target, rows ? (rows[0] ?? null) : undefined);
    return Math.ceil(SIZE_FACTOR * Math.sqrt(rows ? rows.length : askedSize(input, node)) * child);
  }
  return 1 + selectionCost(input, node.selectionSet, target, Array.isArray(value) ? (value[0] ?? null) : value);
}

/** Cost of one row of a connection, whichever of `nodes` and `edges { node }` was asked for. */
function connectionChildCost(
  input: CostInput,
  set: SelectionSetNode,
  type: GraphQLCompositeType,
  value: unknown,
): number {
  let sum = 0;
  for (const selection of set.selections) {
    if (selection.kind !== Kind.FIELD || !selection.selectionSet || !isObjectType(type)) continue;
    const field = type.getFields()[selection.name.value];
    const target = field && getNamedType(field.type);
    if (!target || !isCompositeType(target) || selection.name.value === "pageInfo") continue;
    const rows = value === undefined ? undefined : memberOf(value, selection.alias?.value ?? selection.name.value);
    const first: unknown = Array.isArray(rows) ? (rows[0] ?? null) : rows;
    const inner = selectionCost(input, selection.selectionSet, target, first);
    sum += selection.name.value === "edges" ? inner : 1 + inner;
  }
  return sum;
}

function sized(field: GraphQLField<unknown, unknown>): boolean {
  return field.args.some((argument) => argument.name === "first" || argument.name === "ids");
}

function askedSize(input: CostInput, node: FieldNode): number {
  for (const argument of node.arguments ?? []) {
    if (!["first", "last", "ids"].includes(argument.name.value)) continue;
    const value = literal(input, argument.value);
    if (typeof value === "number") return value;
    if (Array.isArray(value)) return value.length;
  }
  return DEFAULT_LIST_SIZE;
}

function literal(input: CostInput, value: ValueNode): unknown {
  if (value.kind === Kind.VARIABLE) return input.variables[value.name.value];
  if (value.kind === Kind.LIST) return value.values;
  return value.kind === Kind.INT ? Number(value.value) : null;
}

function rowsOf(value: unknown): number {
  const rows = memberOf(value, "nodes") ?? memberOf(value, "edges");
  return Array.isArray(rows) ? rows.length : 0;
}

function memberOf(data: unknown, key: string): unknown {
  if (data === null || typeof data !== "object") return null;
  const value: unknown = Reflect.get(data, key);
  return value ?? null;
}
