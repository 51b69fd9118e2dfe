export { createProgram, type Commands } from "./program.ts";
