import postgres from "postgres";
import { reach } from "./reach.ts";

/**
 * postgres.js with a boundary before and after every statement, at both ends of every commit, and a name of the process
 * on its connections, by which the onlooker knows it.
 */
export default function watchedPostgres(options: postgres.Options<never>): postgres.Sql {
  const connection = { ...options.connection, application_name: `patchbay-${process.pid}` };
  return watch(postgres({ ...options, connection }) as unknown as Client, {
    last: "nothing",
  }) as unknown as postgres.Sql;
}

type Client = ((...given: unknown[]) => unknown) & object;
interface Seen {
  last: string;
}

function watch<C extends Client>(client: C, seen: Seen): C {
  return new Proxy(client, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      if (name === "unsafe") {
        return (text: string, ...rest: unknown[]) => {
          const statement = nameOf(text);
          seen.last = statement;
          reach(`before ${statement}`);
          return announceEnd(value.call(target, text, ...rest) as Promise<unknown>, `after ${statement}`);
        };
      }
      if (name === "reserve") return async () => watch((await value.call(target)) as Client, { last: "nothing" });
      if (name === "begin") {
        return async (...given: unknown[]) => {
          const work = given.pop() as (inner: Client) => unknown;
          const inside: Seen = { last: "nothing" };
          const result: unknown = await value.call(target, ...given, async (inner: Client) => {
            const done = await work(watch(inner, inside));
            reach(`before commit of ${inside.last}`);
            return done;
          });
          reach(`after commit of ${inside.last}`);
          return result;
        };
      }
      return value;
    },
  });
}

/** The query itself, which goes to the server when somebody waits for it. */
function announceEnd<Query extends Promise<unknown>>(query: Query, boundary: string): Query {
  return new Proxy(query, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      const method = value as (...given: unknown[]) => unknown;
      if (name !== "then") return (...given: unknown[]) => again(target, method.apply(target, given), boundary);
      return (onValue?: (value: unknown) => unknown, onError?: (error: unknown) => unknown) =>
        method.call(
          target,
          (result: unknown) => {
            reach(boundary);
            return onValue ? onValue(result) : result;
          },
          onError,
        );
    },
  });
}

/** `values()` and its like give the query back. */
function again(query: Promise<unknown>, given: unknown, boundary: string): unknown {
  return given === query ? announceEnd(query, boundary) : given;
}

/** Verb, table, and a hash of the shape: the same statement has one name, however many rows it is about. */
function nameOf(text: string): string {
  const shape = text
    .replaceAll(/\$\d+/g, "$")
    .replaceAll(/(\([^()]*\$[^()]*\))(,\s*\([^()]*\))*/g, "(…)")
    .replaceAll(/\s+/g, " ")
    .trim();
  const verb = /^\w+/.exec(shape)?.[0] ?? "statement";
  const table = (WRITTEN.exec(shape) ?? READ.exec(shape))?.[1]?.replaceAll('"', "") ?? "";
  return `${verb} ${table} ${hashOf(shape)}`.replaceAll(/\s+/g, " ");
}

const WRITTEN = /\b(?:insert into|update|delete from)\s+((?:"?\w+"?\.)?"?\w+"?)/i;
const READ = /\b(?:from|join)\s+((?:"?\w+"?\.)?"?\w+"?)/i;

/** FNV-1a, 32 bits. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
