import type { z } from "zod";
import {
  AuthorizationEventData,
  ConnectionEventData,
  EndpointEventData,
  PrivacyEventData,
  RunEventData,
  type EventDataOf,
} from "./data.ts";
import { exampleConnection, exampleEndpoint, exampleRun } from "./examples.ts";
import type { OperationalEventType } from "./types.ts";

/** What the catalogue says of one type, beside the envelope. */
export interface Told<Data> {
  readonly summary: string;
  readonly data: z.ZodType<Data>;
  readonly example: Data;
}

/** Events about connections, authorizations, runs, endpoints and privacy. */
export const OPERATIONAL_TOLD: { readonly [T in OperationalEventType]: Told<EventDataOf<T>> } = {
  "connection.activated": connection(
    "A connection works: its credentials were proved and its first run is queued.",
    {},
  ),
  "connection.degraded": connection("A working connection has trouble; `statusReason` says which.", {
    health: "degraded",
    statusReason: "missing_scopes",
  }),
  "connection.reauthorizationRequired": connection("Its credentials are dead: a person must connect again.", {
    status: "reauthorizationRequired",
    statusReason: "credentials_refused",
  }),
  "connection.recovered": connection("Trouble is over, or a person connected again.", {}),
  "connection.revoked": connection("The provider or its user took the access back.", {
    status: "revoked",
    statusReason: "app_uninstalled",
  }),
  "connection.disconnected": connection("You or your customer ended the connection.", { status: "disconnected" }),
  "authorization.completed": authorization("An end user's try to connect led to a connection.", {
    status: "completed",
    error: null,
  }),
  "authorization.failed": authorization("An end user's try to connect failed; `error` says why.", {
    status: "failed",
    error: "access_denied",
  }),
  "authorization.expired": authorization("An end user's try to connect was not finished in time.", {
    status: "expired",
    error: null,
  }),
  "run.started": run("A run began to read.", "running"),
  "run.progress": run("A run came further; at most every few seconds.", "running"),
  "run.completed": run("A run read all it was to read.", "completed"),
  "run.partial": run("A run ended with some models read and others not; each model says why.", "partial"),
  "run.failed": run("A run ended without having read anything whole; `problem` says why.", "failed"),
  "endpoint.failing": endpoint("Deliveries to an endpoint keep failing; it is left alone for growing times.", {}),
  "endpoint.recovered": endpoint("A failing endpoint took a delivery; what waited follows.", {}),
  "endpoint.disabled": endpoint(
    "Patchbay disabled an endpoint, and holds what is for it; told to your other endpoints.",
    {
      status: "disabled",
      disabledReason: "failing",
    },
  ),
  "endpoint.test": endpoint("You asked for a test; sent to that endpoint alone.", {}),
  "privacy.redactRequested": {
    summary: "The provider asks that somebody's data be deleted, from your systems as well.",
    data: PrivacyEventData,
    example: { request: "redact_customer", provider: "shopify", inboxId: "inb_01kahk3vq8f3d8w1xk9pm3s5zr" },
  },
};

function connection(summary: string, given: Partial<ConnectionEventData["connection"]>): Told<ConnectionEventData> {
  return { summary, data: ConnectionEventData, example: { connection: exampleConnection(given) } };
}

function authorization(
  summary: string,
  given: Pick<AuthorizationEventData["authorization"], "status" | "error">,
): Told<AuthorizationEventData> {
  const example = {
    id: "auth_01kahk3vq8f3d8w1xk9pm3s5zr",
    provider: "shopify",
    endUserId: "user_7",
    missingScopes: [],
    replacedConnectionId: null,
    ...given,
  };
  return { summary, data: AuthorizationEventData, example: { authorization: example } };
}

function run(summary: string, status: RunEventData["run"]["status"]): Told<RunEventData> {
  return { summary, data: RunEventData, example: { run: exampleRun(status) } };
}

function endpoint(summary: string, given: Partial<EndpointEventData["endpoint"]>): Told<EndpointEventData> {
  return { summary, data: EndpointEventData, example: { endpoint: exampleEndpoint(given) } };
}
