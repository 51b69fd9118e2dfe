import { fileURLToPath } from "node:url";

/** What a process of the product needs of ours: nothing it could read by mistake. Its compiled code is kept: 0.5 s a start. */
export const CHILD_ENV: Readonly<Record<string, string>> = {
  PATH: process.env["PATH"] ?? "",
  NODE_COMPILE_CACHE: fileURLToPath(new URL("../../node_modules/.cache/node-compile", import.meta.url)),
};
