export {
  createProviderClient,
  type CallInterval,
  type CallOptions,
  type CallTarget,
  type Priority,
  type ProviderClient,
  type ProviderClientDeps,
  type ProviderOutcome,
  type Sleep,
} from "./client.ts";
