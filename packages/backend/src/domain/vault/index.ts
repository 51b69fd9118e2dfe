export { checkKeys } from "./check-keys.ts";
export { KeyDestroyedError, type DataKeySpec, type Purpose } from "./data-keys.ts";
export type { DestroyKeys } from "./destroy-keys.ts";
export type { Place } from "./envelope.ts";
export { VaultKeyError, type KeyProvider, type WrapContext } from "./key-provider.ts";
export { createLocalKeyFile, openLocalKeys } from "./local-keys.ts";
export * from "./tables.ts";
export * from "./vault.ts";
