export { startHostApp, type HostApp, type HostAppOptions } from "./start-host-app.ts";
