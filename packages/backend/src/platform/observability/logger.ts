import { pino } from "pino";
import { loggableError } from "./loggable-error.ts";

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

/** JSON lines on `destination`; of errors only what {@link loggableError} lets through, under whatever key. */
export function createLogger(level: LogLevel, destination: { write(line: string): void } = process.stdout): Logger {
  return wrap(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination));
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
    debug: (fields, message) => target.debug(loggable(fields), message),
    info: (fields, message) => target.info(loggable(fields), message),
    warn: (fields, message) => target.warn(loggable(fields), message),
    error: (fields, message) => target.error(loggable(fields), message),
    with: (fields) => wrap(target.child(loggable(fields))),
  };
}

function loggable(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? loggableError(value) : value]),
  );
}
