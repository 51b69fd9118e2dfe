export type { BrowserCookie } from "./browser-cookie.ts";
export type { Callback, CallbackResult, PageNames } from "./callback.ts";
export type { ConfirmCaller, ConfirmScreen } from "./confirm.ts";
export type { HandedOverCredentials } from "./connect-with-credentials.ts";
export { createConnect, type Connect } from "./connect.ts";
export type { Who } from "./tenant-scope.ts";
export type { ConnectDeps } from "./deps.ts";
export {
  endAuthorizationsOfTenant,
  forgetTenantVisits,
  grantsOfAuthorizations,
  type ReturnedGrant,
} from "./forget-tenant.ts";
export type { OpenedTicket } from "./open-ticket.ts";
export * from "./sealed-columns.ts";
export type { SessionContext } from "./session-context.ts";
export * from "./tables.ts";
