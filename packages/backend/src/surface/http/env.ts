import type { ApiCaller } from "../../domain/workspaces/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { HttpBindings } from "@hono/node-server";
import type { SessionContext } from "../../products/connect/index.ts";

/** What middleware leaves for handlers. */
export interface HttpEnv {
  Bindings: HttpBindings;
  Variables: {
    requestId: string;
    /** Who asks; `null` when there is no connection, as in tests. */
    clientAddress: string | null;
    log: Logger;
    /** On routes of audience `api`. */
    caller: ApiCaller;
    /** On routes of audience `connect`. */
    session: SessionContext;
  };
}
