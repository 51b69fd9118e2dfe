import type { Connection } from "@patchbay/shared";
import type { JSX } from "preact";
import { isImporting, type Screen } from "../machine/index.ts";
import { Logo } from "../ui/logo.tsx";
import { modelNames } from "../ui/models.ts";
import { Badge, Button, ImportProgress, Note, Title } from "../ui/parts.tsx";
import { appName, findConnection, hostName, may, type View, writeAgo, writeDate } from "../ui/view.ts";

type Shown = Extract<Screen, { name: "manage" }>;

/** S29: how a connection does, and what can be done with it. */
export function Manage({ view, screen }: { readonly view: View; readonly screen: Shown }): JSX.Element | null {
  const { state, t, dispatch } = view;
  const connection = findConnection(state, screen.connectionId);
  if (connection === undefined) return null;
  const app = appName(state, connection.provider);
  const offered = state.session?.providers.some((provider) => provider.id === connection.provider) ?? false;
  return (
    <div class="screen">
      <div class="title-row">
        <Logo provider={connection.provider} name={app} large />
        <div>
          <Title>{app}</Title>
          <Badge view={view} connection={connection} />
        </div>
      </div>
      <Notes view={view} screen={screen} connection={connection} />
      {isImporting(connection) && <ImportProgress view={view} connection={connection} />}
      <Facts view={view} connection={connection} />
      <Verbs view={view} screen={screen} connection={connection} />
      {offered && may(state, "connect") && (
        <Button kind="plain" onClick={() => dispatch({ type: "select", provider: connection.provider })}>
          {t("list.add", { app })}
        </Button>
      )}
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
        {t("manage.failed")}
      </Note>
    );
  }
  if (needsReconnect(connection)) {
    return (
      <Note kind="warn" icon="alert">
        {t("manage.needsReconnect", { app: appName(view.state, connection.provider) })}
      </Note>
    );
  }
  if (connection.status === "paused") return <Note icon="clock">{t("manage.paused")}</Note>;
  if (connection.health === "ok") return null;
  return (
    <Note kind="warn" icon="alert">
      {t("manage.degraded", { host: hostName(view) })}
    </Note>
  );
}

function Facts({ view, connection }: { readonly view: View; readonly connection: Connection }): JSX.Element {
  const { t, locale } = view;
  const synced = connection.lastSyncedAt;
  const facts: readonly (readonly [string, string])[] = [
    [t("manage.account"), connection.accountName],
    [t("manage.synced"), synced === null ? t("manage.never") : writeAgo(locale, synced, Date.now())],
    [t("manage.data"), modelNames(view, connection.models)],
    [t("manage.since"), writeDate(locale, connection.activatedAt ?? connection.createdAt)],
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
          {t("manage.reconnect", { app: appName(state, connection.provider) })}
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
              {t("manage.sync")}
            </Button>
          )}
          {(paused || connection.status === "active") && may(state, "pause") && (
            <Button
              kind={paused ? "primary" : "secondary"}
              busy={busy === "pause" || busy === "resume"}
              onClick={() => dispatch({ type: "change", verb: paused ? "resume" : "pause" })}
            >
              {t(paused ? "manage.resume" : "manage.pause")}
            </Button>
          )}
        </div>
      )}
      {may(state, "disconnect") && (
        <Button kind="danger" onClick={() => dispatch({ type: "askDisconnect" })}>
          {t("manage.disconnect")}
        </Button>
      )}
    </div>
  );
}

function needsReconnect(connection: Connection): boolean {
  return connection.status === "reauthorizationRequired" || connection.status === "revoked";
}
