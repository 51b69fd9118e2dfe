export { addLocalKey, promoteLocalKey, removeLocalKey } from "./key-file.ts";
export type { RotationAct, RotationDeps, RotationJournal, RotationKind, RotationRow } from "./deps.ts";
export { keyStatus, type KeyStatus, type StateCounts } from "./key-status.ts";
export { countWrapped, rotateKek, type KekProgress, type KekRotation } from "./rotate-kek.ts";
export { startRotation, type StartRotation } from "./start-rotation.ts";
export { createNodeReport, kekName } from "./vault-nodes.ts";
export { GRACE_MS, nextRotationWork, unopened, workRotations, type Worked } from "./work-rotation.ts";
