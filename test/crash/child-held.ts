import type { Order } from "./failpoints/reach.ts";

/** Loaded last into a process that is to begin later: it loads the whole product, and waits until it is told. */
const told = new Promise<void>((resolve) => {
  process.on("message", (order: Order) => {
    if (order.kind === "begin") resolve();
  });
});
await import("../../packages/backend/src/commands.ts");
await import("../../packages/backend/src/surface/cli/index.ts");
process.channel?.ref();
await told;
process.channel?.unref();
