/** Look-alikes of the providers, for tests, for the two-command start, and for developers without a provider account. */
export { type Sandbox, type SandboxOptions, startSandbox } from "./start.ts";
export type { AppInput, ShopifyControl } from "./shopify/control/index.ts";
