export * from "./connector.ts";
export * from "./lossless-json.ts";
export * from "./pages.ts";
export * from "./verify-delivery.ts";
