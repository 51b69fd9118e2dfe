export { ListenError } from "./fetch-feed-page.ts";
export { runListen } from "./listen.ts";
export { createProgram, type Commands } from "./program.ts";
