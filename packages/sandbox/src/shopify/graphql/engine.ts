import {
  type DocumentNode,
  execute,
  type ExecutionResult,
  type FragmentDefinitionNode,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  parse,
  Source,
  type OperationDefinitionNode,
  validate,
} from "graphql";
import { resolveField } from "./access.ts";
import { Bucket, type ThrottleStatus } from "./bucket.ts";
import type { Ctx } from "./context.ts";
import { actualCost, type CostInput, requestedCost } from "./cost.ts";
import { mutationRoot } from "./mutation-root.ts";
import { queryRoot } from "./query-root.ts";
import { syntaxProblem, validationProblem } from "./problems.ts";

const MAX_QUERY_COST = 1000;
const MAX_TOKENS = 15_000;

export interface GraphQLRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName: string | null;
}

export interface GraphQLAnswer {
  readonly data?: unknown;
  readonly errors?: readonly unknown[];
  readonly extensions?: { readonly cost: Cost };
}

interface Cost {
  readonly requestedQueryCost: number;
  readonly actualQueryCost: number | null;
  readonly throttleStatus: ThrottleStatus;
}

/** Executes Admin API requests: price first, then the points, then the query. */
export class Engine {
  readonly #schema: GraphQLSchema;
  readonly #buckets = new Map<string, Bucket>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  async answer(ctx: Ctx, request: GraphQLRequest): Promise<GraphQLAnswer> {
    const prepared = this.prepare(request);
    if ("errors" in prepared) return prepared;
    const input: CostInput = { schema: this.#schema, ...prepared, variables: request.variables };
    const requested = requestedCost(input);
    if (requested > MAX_QUERY_COST) return tooExpensive(requested);
    const bucket = this.#bucketOf(ctx);
    if (this.#storming(ctx) || !bucket.take(requested)) return throttled(requested, bucket.status());
    const result = await this.run(ctx, prepared.document, request);
    const actual = actualCost(input, result.data);
    bucket.giveBack(Math.max(0, requested - actual));
    const cost = { requestedQueryCost: requested, actualQueryCost: actual, throttleStatus: bucket.status() };
    return { ...present(result), extensions: { cost } };
  }

  /** Parses and validates, without running. */
  prepare(request: GraphQLRequest): Prepared | { readonly errors: readonly unknown[] } {
    let document: DocumentNode;
    try {
      document = parse(new Source(request.query), { maxTokens: MAX_TOKENS });
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [syntaxProblem(error)] };
      throw error;
    }
    const errors = validate(this.#schema, document);
    if (errors.length > 0) return { errors: errors.map(validationProblem) };
    const operation = getOperationAST(document, request.operationName);
    if (!operation)
      return { errors: [{ message: "An operation name is required", extensions: { code: "BAD_REQUEST" } }] };
    const fragments = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
    return { document, operation, fragments: new Map(fragments.map((fragment) => [fragment.name.value, fragment])) };
  }

  async run(ctx: Ctx, document: DocumentNode, request: GraphQLRequest): Promise<ExecutionResult> {
    return execute({
      schema: this.#schema,
      document,
      rootValue: { ...queryRoot(ctx), ...mutationRoot(ctx) },
      contextValue: ctx,
      variableValues: request.variables,
      operationName: request.operationName,
      fieldResolver: resolveField,
    });
  }

  #bucketOf(ctx: Ctx): Bucket {
    const key = `${ctx.shop.catalog.profile.domain} ${ctx.install.clientId}`;
    const existing = this.#buckets.get(key);
    if (existing) return existing;
    const bucket = new Bucket(ctx.world.clock);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #storming(ctx: Ctx): boolean {
    const { switches } = ctx.shop;
    if (switches.throttleNext <= 0) return false;
    switches.throttleNext--;
    return true;
  }
}

interface Prepared {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

function throttled(requested: number, throttleStatus: ThrottleStatus): GraphQLAnswer {
  return {
    errors: [
      {
        message: "Throttled",
        extensions: { code: "THROTTLED", documentation: "https://shopify.dev/api/usage/rate-limits" },
      },
    ],
    extensions: { cost: { requestedQueryCost: requested, actualQueryCost: null, throttleStatus } },
  };
}

function tooExpensive(cost: number): GraphQLAnswer {
  const message =
    `Query cost is ${cost}, which exceeds the single query max cost limit (${MAX_QUERY_COST}).\n\n` +
    "See https://shopify.dev/concepts/about-apis/rate-limits for more information on how the\ncost of a query is calculated.\n\n" +
    "To query larger amounts of data with fewer limits, bulk operations should be used instead.\n" +
    "See https://shopify.dev/tutorials/perform-bulk-operations-with-admin-api for usage details.\n";
  const documentation = "https://shopify.dev/api/usage/limits#rate-limits";
  return {
    errors: [{ message, extensions: { code: "MAX_COST_EXCEEDED", cost, maxCost: MAX_QUERY_COST, documentation } }],
  };
}

function present(result: ExecutionResult): GraphQLAnswer {
  if (!result.errors) return { data: result.data };
  return { data: result.data ?? null, errors: result.errors.map((error) => error.toJSON()) };
}
