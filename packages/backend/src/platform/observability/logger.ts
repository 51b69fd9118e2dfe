import { pino } from "pino";

/**
 * Structured log lines: object first, constant message, units in keys. Bind context once with {@link Logger.with}.
 * Nothing that a provider sent and no secret goes in; ids and codes only.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  with(fields: LogFields): Logger;
}
export type LogFields = Readonly<Record<string, unknown>>;
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

/** JSON lines on `destination`; errors become type, code and stack, without their messages' causes repeated. */
export function createLogger(level: LogLevel, destination: { write(line: string): void } = process.stdout): Logger {
  const root = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: pino.stdSerializers.err } },
    destination,
  );
  return wrap(root);
}

/** Drops everything; for tests that do not look at logs. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLogger,
};

function wrap(target: pino.Logger): Logger {
  return {
    debug: (fields, message) => target.debug(fields, message),
    info: (fields, message) => target.info(fields, message),
    warn: (fields, message) => target.warn(fields, message),
    error: (fields, message) => target.error(fields, message),
    with: (fields) => wrap(target.child(fields)),
  };
}
