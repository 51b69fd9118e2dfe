import {
  getNamedType,
  type GraphQLField,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from "graphql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sandbox } from "../../start.ts";
import { ALL_SCOPES, connect, graphql, smallSandbox, subscribe, stoppedClock } from "../test-kit.ts";
import { loadSchema } from "./schema.ts";

const schema = loadSchema();
const MAX_DEPTH = 3;

describe("every field the schema promises is answered, without an error", () => {
  const clock = stoppedClock();
  let sandbox: Sandbox;
  let token: string;

  beforeAll(async () => {
    sandbox = await smallSandbox({ clock });
    token = await connect(sandbox, "acme-goods", ALL_SCOPES);
    await subscribe(sandbox, token, ["ORDERS_CREATE"], "http://localhost:9/hooks");
    await graphql(
      sandbox,
      token,
      'mutation { bulkOperationRunQuery(query: "{ products { edges { node { id } } } }") { userErrors { message } } }',
    );
  });
  afterAll(() => sandbox.close());

  const lists = [
    "orders",
    "customers",
    "products",
    "productVariants",
    "inventoryItems",
    "locations",
    "fulfillmentOrders(includeClosed: true)",
    "webhookSubscriptions",
    "bulkOperations",
  ];

  test.each(lists)("%s", async (list) => {
    const [name = "", rest = ")"] = list.split("(");
    const field = schema.getQueryType()?.getFields()[name];
    if (!field) throw new Error(`no field ${name}`);
    const args = rest === ")" ? "(first: 60)" : `(first: 60, ${rest}`;
    for (const selection of slices(field)) {
      clock.advance(60);
      const { body } = await graphql(
        sandbox,
        token,
        `{ ${name}${args} { nodes { __typename ${selection} } pageInfo { hasNextPage } } }`,
      );
      expect({ selection, errors: body.errors }).toEqual({ selection, errors: undefined });
      expect(body.data[name].nodes.length).toBeGreaterThan(0);
    }
  });

  test.each([
    "shop",
    "currentAppInstallation",
    "publicApiVersions",
    "ordersCount",
    "productVariantsCount",
    "locationsCount",
    "webhookSubscriptionsCount",
  ])("%s", async (name) => {
    const field = schema.getQueryType()?.getFields()[name];
    if (!field) throw new Error(`no field ${name}`);
    const { body } = await graphql(
      sandbox,
      token,
      `{ ${name} { ${fieldsOf(getNamedType(field.type), MAX_DEPTH).join(" ")} } }`,
    );
    expect(body.errors).toBeUndefined();
  });
});

/** One selection for each field of the connection's nodes, so that none of them costs too much. */
function slices(connection: GraphQLField<unknown, unknown>): string[] {
  const type = getNamedType(connection.type);
  const nodes = isObjectType(type) ? type.getFields()["nodes"] : undefined;
  return nodes ? fieldsOf(getNamedType(nodes.type), MAX_DEPTH) : [];
}

function fieldsOf(type: ReturnType<typeof getNamedType>, depth: number): string[] {
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) => {
    const target = getNamedType(field.type);
    const args = argumentsOf(field);
    if (isLeafType(target)) return [`${field.name}${args}`];
    if (depth === 0) return [];
    const inner = target.name.endsWith("Connection")
      ? connectionFields(target, depth)
      : fieldsOf(target, depth - 1).join(" ");
    return inner === "" ? [] : [`${field.name}${args} { ${inner} }`];
  });
}

function connectionFields(type: ReturnType<typeof getNamedType>, depth: number): string {
  const nodes = isObjectType(type) ? type.getFields()["nodes"] : undefined;
  const inner = nodes ? fieldsOf(getNamedType(nodes.type), Math.min(depth - 1, 1)).join(" ") : "";
  return `nodes { __typename ${inner} } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`;
}

function argumentsOf(field: GraphQLField<unknown, unknown>): string {
  const given = field.args.flatMap((argument) => {
    if (argument.name === "first") return ["first: 2"];
    if (argument.name === "names") return ['names: ["available", "on_hand"]'];
    return isRequiredArgument(argument) ? [`${argument.name}: "gid://shopify/Location/1"`] : [];
  });
  return given.length > 0 ? `(${given.join(", ")})` : "";
}
