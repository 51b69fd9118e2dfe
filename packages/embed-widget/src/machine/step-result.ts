import type { Effect, Screen, State, Step } from "./state.ts";

/** Nothing changes on screen beyond what `state` says. */
export function stay(state: State, ...effects: readonly Effect[]): Step {
  return { state, effects };
}

/** Another screen, or the same one with other data. */
export function go(state: State, screen: Screen, ...effects: readonly Effect[]): Step {
  return { state: { ...state, screen }, effects };
}
