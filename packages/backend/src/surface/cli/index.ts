export { ListenError } from "./fetch-feed-page.ts";
export { runListen } from "./listen.ts";
export type { BackupCommands } from "./backup-commands.ts";
export { createProgram, type Commands, type KeyCommands, type RotateOptions } from "./program.ts";
