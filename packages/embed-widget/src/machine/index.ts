/**
 * The widget's behaviour as a pure state machine: events in, state and effects out.
 *
 * @module
 */
export { currentFlow } from "./authorize.ts";
export { failureOf, FAILURE_WORDS, toErrorCode } from "./failure.ts";
export * from "./state.ts";
export { step } from "./step.ts";
