export { checkUrl } from "./check-url.ts";
export { createEgress, type Egress } from "./egress.ts";
export { EgressError, type FetchPolicy } from "./fetch-like.ts";
export type { Lookup } from "./guarded-connector.ts";
export type { ClientCertificate, EgressProblem, EgressRequest, EgressResult } from "./request.ts";
