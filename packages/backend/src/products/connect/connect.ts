import type {
  Authorization,
  CompleteAuthorization,
  ConnectBootstrap,
  Connection,
  ConnectionCapabilities,
  ConnectionTest,
  ConnectSession,
  CreateConnectSession,
  CreateReauthorizeSession,
  ExportedConnection,
  ImportConnection,
  Page,
  Permission,
  ResolveParameters,
  StartAuthorization,
  StartedAuthorization,
  WorkspaceId,
} from "@patchbay/shared";
import type { ConnectionRow } from "../../domain/connections/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import type { GrantTarget } from "../credentials/index.ts";
import { authenticateSession } from "./authenticate-session.ts";
import { cancelAuthorization, getAuthorization } from "./authorization-view.ts";
import { bootstrap } from "./bootstrap.ts";
import { callback, type Callback, type CallbackResult, type PageNames } from "./callback.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { completeAuthorization } from "./complete-authorization.ts";
import { answerConfirmation, confirmScreen, type ConfirmCaller, type ConfirmScreen } from "./confirm.ts";
import { connectWithCredentials, type HandedOverCredentials } from "./connect-with-credentials.ts";
import { disconnect, findConnection, getConnection, listConnectionsOf, pause, resume } from "./connection-verbs.ts";
import { createReauthorizeSession, createSession } from "./create-session.ts";
import type { ConnectDeps } from "./deps.ts";
import { expireAuthorizations, nextExpiry } from "./expire-authorizations.ts";
import { returnGrant, type ReturnedGrant } from "./forget-tenant.ts";
import { exportConnection } from "./export-connection.ts";
import { importConnection } from "./import-connection.ts";
import { createLimits } from "./limits.ts";
import { openTicket, redirectUri, type OpenedTicket } from "./open-ticket.ts";
import { rotateKeys } from "./rotate-keys.ts";
import { watchCertificates } from "./watch-certificates.ts";
import { resolveParameters } from "./resolve-parameters.ts";
import type { SessionContext } from "./session-context.ts";
import { startAuthorization } from "./start-authorization.ts";
import type { Who } from "./tenant-scope.ts";
import { testConnection } from "./test-connection.ts";

/** How end customers connect accounts, and what is done with connections afterwards. */
export interface Connect {
  // For the host's backend.
  createSession(input: {
    readonly workspaceId: WorkspaceId;
    readonly body: CreateConnectSession;
  }): Promise<ConnectSession>;
  createReauthorizeSession(input: {
    readonly workspaceId: WorkspaceId;
    readonly body: CreateReauthorizeSession;
  }): Promise<ConnectSession>;
  listConnections(input: Parameters<typeof listConnectionsOf>[1]): Promise<Page<Connection>>;
  /** Connects with a credential that was handed over, instead of a consent page. */
  connectWithCredentials(input: HandedOverCredentials): Promise<Connection>;
  /** What the workspace registers at a provider. */
  redirectUri(provider: string): string;

  // For the host's backend and for sessions.
  getConnection(who: Who, id: string): Promise<Connection>;
  findConnection(who: Who, id: string, permission?: Permission): Promise<ConnectionRow>;
  pause(who: Who, id: string): Promise<Connection>;
  resume(who: Who, id: string): Promise<Connection>;
  disconnect(who: Who, id: string): Promise<Connection>;
  test(who: Who, id: string): Promise<ConnectionTest>;
  capabilities(who: Who, id: string): Promise<ConnectionCapabilities>;

  // Moving in and out.
  importConnection(input: { readonly workspaceId: WorkspaceId; readonly body: ImportConnection }): Promise<Connection>;
  exportConnection(input: Parameters<typeof exportConnection>[1]): Promise<ExportedConnection>;

  // For the widget, with its session.
  authenticateSession(token: string, origin: string | null): Promise<SessionContext>;
  bootstrap(session: SessionContext): Promise<ConnectBootstrap>;
  resolveParameters(
    session: SessionContext,
    provider: string,
    parameters: ResolveParameters["parameters"],
  ): Promise<ResolveParameters>;
  startAuthorization(session: SessionContext, input: StartAuthorization): Promise<StartedAuthorization>;
  getAuthorization(session: SessionContext, id: string): Promise<Authorization>;
  cancelAuthorization(session: SessionContext, id: string): Promise<void>;
  completeAuthorization(session: SessionContext, id: string, proof: CompleteAuthorization): Promise<Authorization>;

  // For the window that goes to the provider and back.
  openTicket(ticket: string): Promise<OpenedTicket>;
  callback(input: Callback): Promise<CallbackResult>;
  confirmScreen(caller: ConfirmCaller): Promise<ConfirmScreen>;
  answerConfirmation(
    input: ConfirmCaller & { readonly csrf: string; readonly answer: "connect" | "refuse" },
  ): Promise<{ readonly kind: "confirmed" | "refused"; readonly names: PageNames }>;

  /** For an erased tenant: gives a grant back, unless somebody else uses it. */
  returnGrant(grant: GrantTarget, anyway: boolean): Promise<ReturnedGrant>;
  /** A sweep, every minute. */
  expireAuthorizations(workspaceId: WorkspaceId): Promise<void>;
  /** When it has to sweep again. */
  nextExpiry(tx: Tx, workspaceId: WorkspaceId): Promise<Date | null>;
  /** A sweep, every five minutes: keys that we replace ourselves. */
  rotateKeys(workspaceId: WorkspaceId): Promise<void>;
  /** A sweep, every day: client certificates near their end. */
  watchCertificates(workspaceId: WorkspaceId): Promise<void>;
}

/** Rate limits live in it: one per process. */
export function createConnect(deps: ConnectDeps): Connect {
  const limits = createLimits(deps.clock);
  return {
    createSession: (input) => createSession(deps, input),
    createReauthorizeSession: (input) => createReauthorizeSession(deps, input),
    listConnections: (input) => listConnectionsOf(deps, input),
    connectWithCredentials: (input) => connectWithCredentials(deps, input),
    redirectUri: (provider) => redirectUri(deps.publicUrl, provider),

    getConnection: (who, id) => getConnection(deps, who, id),
    findConnection: (who, id, permission) => findConnection(deps, who, id, permission),
    pause: (who, id) => pause(deps, who, id),
    resume: (who, id) => resume(deps, who, id),
    disconnect: (who, id) => disconnect(deps, who, id),
    test: (who, id) => testConnection(deps, who, id),
    capabilities: (who, id) => capabilitiesOf(deps, who, id),

    importConnection: (input) => importConnection(deps, input),
    exportConnection: (input) => exportConnection(deps, input),

    authenticateSession: (token, origin) => authenticateSession(deps, token, origin),
    bootstrap: (session) => bootstrap(deps, session),
    resolveParameters: async (session, provider, parameters) => {
      limits.countCall(session);
      return resolveParameters(deps, session, provider, parameters);
    },
    startAuthorization: (session, input) => startAuthorization(deps, limits, session, input),
    getAuthorization: (session, id) => getAuthorization(deps, session, id),
    cancelAuthorization: (session, id) => cancelAuthorization(deps, session, id),
    completeAuthorization: (session, id, proof) => completeAuthorization(deps, limits, session, id, proof),

    openTicket: (ticket) => openTicket(deps, ticket),
    callback: (input) => callback(deps, input),
    confirmScreen: (caller) => confirmScreen(deps, caller),
    answerConfirmation: (input) => answerConfirmation(deps, input),

    returnGrant: (grant, anyway) => returnGrant(deps, grant, anyway),
    rotateKeys: (workspaceId) => rotateKeys(deps, workspaceId),
    watchCertificates: (workspaceId) => watchCertificates(deps, workspaceId),
    expireAuthorizations: (workspaceId) => expireAuthorizations(deps, workspaceId),
    nextExpiry: (tx, workspaceId) => nextExpiry(deps, tx, workspaceId),
  };
}
