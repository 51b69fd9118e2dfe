/** What a log line tells of an error. */
export interface LoggableError {
  readonly type: string;
  /** Left out when it may quote data. */
  readonly message?: string;
  readonly code?: string;
  /** SQL with placeholders. */
  readonly query?: string;
  /** Of a violated constraint. */
  readonly constraint?: string;
  readonly stack?: string;
  readonly cause?: LoggableError;
  readonly errors?: readonly LoggableError[];
}

const DEPTH_MAX = 5;
const ERRORS_MAX = 5;
const TEXT_MAX = 2_000;

/**
 * The parts of an error that hold no data: kind, code, places in the code, SQL without its values. Never a property
 * that is not named here: drivers hang parameters, rows and bodies on their errors.
 */
export function loggableError(error: Error, depth = 1): LoggableError {
  const { cause } = error;
  const code = textOf(error, "code");
  const query = textOf(error, "query");
  const constraint = textOf(error, "constraint_name");
  const message = quotesData(error) ? undefined : cut(error.message);
  const stack = framesOf(error);
  const deeper = depth < DEPTH_MAX;
  return {
    type: error.name === "Error" ? error.constructor.name : error.name,
    ...(message === undefined ? {} : { message }),
    ...(code === undefined ? {} : { code }),
    ...(query === undefined || !("params" in error) ? {} : { query }),
    ...(constraint === undefined ? {} : { constraint }),
    ...(stack === "" ? {} : { stack }),
    ...(deeper && cause instanceof Error ? { cause: loggableError(cause, depth + 1) } : {}),
    ...(deeper && error instanceof AggregateError
      ? {
          errors: error.errors
            .filter(isError)
            .slice(0, ERRORS_MAX)
            .map((each) => loggableError(each, depth + 1)),
        }
      : {}),
  };
}

/**
 * drizzle's "Failed query" lists the parameters; Postgres quotes values that it cannot convert (class 22) or finds in
 * the way (class 23); parsers quote what they could not read.
 */
function quotesData(error: Error): boolean {
  if ("params" in error || error instanceof SyntaxError || error instanceof URIError) return true;
  const code = textOf(error, "code") ?? "";
  return /^2[23]\w{3}$/.test(code) || code === "ERR_INVALID_URL" || "issues" in error;
}

function framesOf(error: Error): string {
  const { stack = "", message } = error;
  const start = stack.indexOf(message);
  const behind = start < 0 ? stack : stack.slice(start + message.length);
  return cut(
    behind
      .split("\n")
      .filter((line) => /^ {4}at \S/.test(line))
      .join("\n"),
  );
}

function textOf(error: Error, name: string): string | undefined {
  const value: unknown = name in error ? Reflect.get(error, name) : undefined;
  return typeof value === "string" ? cut(value) : undefined;
}

function isError(value: unknown): value is Error {
  return value instanceof Error;
}

function cut(text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}
