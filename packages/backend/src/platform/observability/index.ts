export { loggableError } from "./loggable-error.ts";
export * from "./logger.ts";
export * from "./metrics.ts";
