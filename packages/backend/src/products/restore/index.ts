export { confirmRestore } from "./confirm-restore.ts";
export { finishRestore } from "./finish-restore.ts";
export { heldEgress, watchHold, type Hold } from "./hold.ts";
export { heldSince, restoreStatus } from "./read-restore.ts";
export { repeatErasures } from "./repeat-erasures.ts";
export * from "./tables.ts";
