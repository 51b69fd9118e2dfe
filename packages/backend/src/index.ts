export { bindCommands } from "./commands.ts";
export { ConfigError, parseConfig, type Config } from "./config.ts";
export { startPatchbay, type Patchbay, type Roles, type StartOptions } from "./patchbay.ts";
export { prepareLocalFiles } from "./prepare-local-files.ts";
export { explainStartError } from "./start-error.ts";
