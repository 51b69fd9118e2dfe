import { inspect } from "node:util";

/**
 * A value that must not be printed: logs, JSON, templates and `inspect` show «secret».
 * The only way out is {@link Secret.reveal}, which is easy to grep for.
 */
export class Secret<Value = string> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  reveal(): Value {
    return this.#value;
  }

  toString(): string {
    return PRINTED;
  }

  toJSON(): string {
    return PRINTED;
  }

  [inspect.custom](): string {
    return PRINTED;
  }
}

const PRINTED = "«secret»";
