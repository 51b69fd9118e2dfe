export * from "./auth.ts";
export * from "./auth-methods.ts";
export * from "./connector.ts";
export * from "./lossless-json.ts";
export * from "./pages.ts";
export * from "./restore-delivery.ts";
export { signatureHeaders, type SignatureScheme, type SignedRequest } from "./signature.ts";
export * from "./verify-signature.ts";
