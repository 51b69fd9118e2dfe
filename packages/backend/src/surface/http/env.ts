import type { ApiCaller } from "../../domain/workspaces/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { SessionContext } from "../../products/connect/index.ts";

/** What middleware leaves for handlers. */
export interface HttpEnv {
  Variables: {
    requestId: string;
    log: Logger;
    /** On routes of audience `api`. */
    caller: ApiCaller;
    /** On routes of audience `connect`. */
    session: SessionContext;
  };
}
