import type { Connection } from "@patchbay/shared";
import type { JSX } from "preact";
import { isImporting, type Screen } from "../machine/index.ts";
import { Logo } from "../ui/logo.tsx";
import { modelNames } from "../ui/models.ts";
import { Badge, Button, ImportProgress, Note, Title } from "../ui/parts.tsx";
import { appName, findConnection, may, type View, writeDate } from "../ui/view.ts";

type Shown = Extract<Screen, { name: "manage" }>;

/** S29: how a connection does, and what can be done with it. */
export function Manage({ view, screen }: { readonly view: View; readonly screen: Shown }): JSX.Element | null {
  const { state } = view;
  const connection = findConnection(state, screen.connectionId);
  if (connection === undefined) return null;
  return (
    <div class="screen">
      <div class="line">
        <Logo view={view} provider={connection.provider} large />
        <div>
          <Title>{appName(state)}</Title>
          <Badge view={view} connection={connection} />
        </div>
      </div>
      <Notes view={view} screen={screen} connection={connection} />
      {isImporting(connection) && <ImportProgress view={view} connection={connection} />}
      <Facts view={view} connection={connection} />
      <Verbs view={view} screen={screen} connection={connection} />
    </div>
  );
}

function Notes(props: {
  readonly view: View;
  readonly screen: Shown;
  readonly connection: Connection;
}): JSX.Element | null {
  const { view, screen, connection } = props;
  const { t } = view;
  if (screen.failure !== null) {
    return (
      <Note kind="bad" icon="alert" alert>
        {t("manageFailed")}
      </Note>
    );
  }
  if (needsReconnect(connection)) {
    return (
      <Note kind="warn" icon="alert">
        {t("manageNeedsReconnect")}
      </Note>
    );
  }
  if (connection.health === "ok") return null;
  return (
    <Note kind="warn" icon="alert">
      {t("manageDegraded")}
    </Note>
  );
}

function Facts({ view, connection }: { readonly view: View; readonly connection: Connection }): JSX.Element {
  const { t, locale } = view;
  const synced = connection.lastSyncedAt;
  const facts: readonly (readonly [string, string])[] = [
    [t("manageAccount"), connection.accountName],
    [t("manageSynced"), synced === null ? "–" : writeDate(locale, synced, "short")],
    [t("manageData"), modelNames(view, connection.models)],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Verbs(props: { readonly view: View; readonly screen: Shown; readonly connection: Connection }): JSX.Element {
  const { view, screen, connection } = props;
  const { state, t, dispatch } = view;
  const { busy } = screen;
  const paused = connection.status === "paused";
  const reconnect = needsReconnect(connection) && may(state, "reauthorize");
  return (
    <div class="stack end">
      {reconnect && (
        <Button
          kind="primary"
          onClick={() =>
            dispatch({
              type: "authorize",
              target: { provider: connection.provider, parameters: {}, connectionId: connection.id },
              display: state.preset.display,
            })
          }
        >
          {t("manageReconnect")}
        </Button>
      )}
      {!reconnect && (
        <div class="pair">
          {connection.status === "active" && may(state, "sync") && (
            <Button
              busy={busy === "sync"}
              off={isImporting(connection)}
              onClick={() => dispatch({ type: "change", verb: "sync" })}
            >
              {t("manageSync")}
            </Button>
          )}
          {(paused || connection.status === "active") && may(state, "pause") && (
            <Button
              kind={paused ? "primary" : "secondary"}
              busy={busy === "pause" || busy === "resume"}
              onClick={() => dispatch({ type: "change", verb: paused ? "resume" : "pause" })}
            >
              {t(paused ? "manageResume" : "managePause")}
            </Button>
          )}
        </div>
      )}
      {may(state, "disconnect") && (
        <Button kind="danger" onClick={() => dispatch({ type: "askDisconnect" })}>
          {t("manageDisconnect")}
        </Button>
      )}
      {may(state, "connect") && (
        <Button kind="plain" onClick={() => dispatch({ type: "select", provider: connection.provider })}>
          {t("listAdd")}
        </Button>
      )}
    </div>
  );
}

function needsReconnect(connection: Connection): boolean {
  return connection.status === "reauthorizationRequired" || connection.status === "revoked";
}
