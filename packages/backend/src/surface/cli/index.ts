export { ListenError } from "./fetch-feed-page.ts";
export { runListen, type ListenInput } from "./listen.ts";
export { createProgram, type Commands } from "./program.ts";
