import { randomUUID } from "node:crypto";
import type { AuthorizationServer } from "../../credentials/testing/authorization-server.ts";
import type { createConnectKit, TestWorkspace } from "./connect-kit.ts";

/** From the widget's start over the consent to an active connection of a new tenant. */
export async function connectByCode(
  kit: Awaited<ReturnType<typeof createConnectKit>>,
  server: AuthorizationServer,
  workspace: TestWorkspace,
  provider: string,
) {
  const session = await kit.aSession(workspace, { tenantId: `tenant-${randomUUID()}` });
  const widget = kit.widget(session);
  const started = await widget.start("", { provider, parameters: {}, models: ["account"] });
  const { redirectTo, cookie } = await kit.connect.openTicket(started.startUrl.split("/").at(-1) ?? "");
  const back = await server.consent(redirectTo);
  const result = await kit.connect.callback({
    provider,
    query: back.searchParams,
    cookies: { [cookie.name]: cookie.value },
    secFetchDest: "document",
  });
  if (result.kind !== "consented") throw new Error(JSON.stringify(result));
  const { connection } = await widget.complete(started.id, result.message.completionCode);
  if (connection === null) throw new Error("no connection");
  const { grantId } = await kit.connect.findConnection(workspace, connection.id);
  return { id: connection.id, grantId };
}
