import type { ComponentChildren, JSX } from "preact";
import type { Flow, Screen } from "../machine/index.ts";
import { Icon } from "../ui/icons.tsx";
import { Logo } from "../ui/logo.tsx";
import { Button, Emblem, Title } from "../ui/parts.tsx";
import { appName, type View } from "../ui/view.ts";

/** S11: the person is in the provider's window. S12: which may be closed; that is never an error. */
export function Waiting({
  view,
  screen,
}: {
  readonly view: View;
  readonly screen: Extract<Screen, { name: "waiting" }>;
}): JSX.Element {
  const { t, dispatch } = view;
  const app = appName(view.state, screen.flow.provider);
  if (screen.flow.display === "redirect") {
    return (
      <AtWork view={view} flow={screen.flow} title={t("leaving.title", { app })} body={t("leaving.body")}>
        {null}
      </AtWork>
    );
  }
  return (
    <AtWork
      view={view}
      flow={screen.flow}
      title={t("waiting.title", { app })}
      body={screen.confirm ? t("waiting.confirm", { app }) : t("waiting.body")}
    >
      <div class="stack end">
        {screen.seemsClosed && <p class="text small center">{t("waiting.closed")}</p>}
        {screen.seemsClosed ? (
          <Button kind="primary" onClick={() => dispatch({ type: "openAgain" })}>
            {t("waiting.again")}
          </Button>
        ) : (
          <Button onClick={() => dispatch({ type: "showWindow" })}>
            <Icon name="window" size={18} />
            {t("waiting.show")}
          </Button>
        )}
        <div class="pair">
          {!screen.seemsClosed && (
            <Button kind="plain" onClick={() => dispatch({ type: "openAgain" })}>
              {t("waiting.again")}
            </Button>
          )}
          <Button kind="plain" onClick={() => dispatch({ type: "continueHere" })}>
            {t("waiting.here")}
          </Button>
          <Button kind="plain" onClick={() => dispatch({ type: "cancel" })}>
            {t("waiting.cancel")}
          </Button>
        </div>
      </div>
    </AtWork>
  );
}

/** S13: the window did not open. */
export function Blocked({ view, flow }: { readonly view: View; readonly flow: Flow }): JSX.Element {
  const { t, dispatch } = view;
  return (
    <div class="screen center">
      <Emblem kind="warn" icon="window" />
      <div class="stack">
        <Title>{t("blocked.title", { app: appName(view.state, flow.provider) })}</Title>
        <p class="text">{t("blocked.body")}</p>
      </div>
      <div class="stack end">
        <Button kind="primary" onClick={() => dispatch({ type: "continueHere" })}>
          {t("waiting.here")}
        </Button>
        <Button onClick={() => dispatch({ type: "openAgain" })}>{t("tryAgain")}</Button>
      </div>
    </div>
  );
}

/** S15: the proof is with the backend. */
export function Finishing({ view, flow }: { readonly view: View; readonly flow: Flow }): JSX.Element {
  const { t } = view;
  const title =
    flow.provider === null
      ? t("finishing.titleUnknown")
      : t("finishing.title", { app: appName(view.state, flow.provider) });
  return (
    <AtWork view={view} flow={flow} title={title} body={t("finishing.body")}>
      {null}
    </AtWork>
  );
}

function AtWork(props: {
  readonly view: View;
  readonly flow: Flow;
  readonly title: string;
  readonly body: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { provider } = props.flow;
  return (
    <div class="screen center">
      <div class="turning">
        <span class="spinner" />
        {provider !== null && <Logo provider={provider} name={appName(props.view.state, provider)} large />}
      </div>
      <div class="stack">
        <Title>{props.title}</Title>
        <p class="text">{props.body}</p>
      </div>
      {props.children ?? <div class="end" />}
    </div>
  );
}
