import { Problem } from "@patchbay/shared";
import { FIXTURES } from "./fixtures.ts";
import { jsonOf, send, withKey, withSession, type Answer } from "./http.ts";
import type { Operation } from "./routes.ts";
import type { World } from "./world.ts";

/** One request to a route of the live table. */
export interface Attempt {
  readonly operation: Operation;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A body that its route takes, as far as the matrix has one. */
export function bodyOf({ a }: World, operation: Operation): Readonly<Record<string, unknown>> {
  const body = FIXTURES[operation.name]?.[0]?.call(a.first.id, a).body;
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
}

/** The route with the caller's own ids; verbs that end things are asked for nobody's. */
export function ownPath({ a }: World, operation: Operation): string {
  const ids: Readonly<Record<string, string>> = { tenant: a.first.id, model: "order", provider: "nobodys" };
  const known = operation.method === "GET" && operation.path.startsWith("/v1/connections") ? a.first.connectionId : "x";
  return operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? known);
}

/** As who may call it in workspace A. */
export function ask(world: World, { operation, path, body, headers }: Attempt): Promise<Answer> {
  const { a, product } = world;
  const own = {
    api: withKey(a.apiKey),
    connect: withSession(a.first.sessionToken),
    admin: withKey(product.operatorToken),
  }[operation.audience];
  const { method } = operation;
  const given = body ?? (operation.bodyFields.length > 0 ? bodyOf(world, operation) : undefined);
  return send(product, {
    method,
    path,
    headers: { ...own, ...headers },
    body: method === "GET" ? undefined : given,
  });
}

/** Taken, or refused as every error is: Node refuses too long an address by itself, before any of our code. */
export function isSound(answer: Answer): boolean {
  const isProblem = () => Problem.safeParse(jsonOf(answer)).success;
  return answer.status < 400 || answer.status === 431 || (answer.status < 500 && isProblem());
}
