import type { ComponentChildren, JSX } from "preact";
import type { Flow, Screen } from "../machine/index.ts";
import { Icon } from "../ui/icons.tsx";
import { Logo } from "../ui/logo.tsx";
import { Button, Emblem, Title } from "../ui/parts.tsx";
import { type View } from "../ui/view.ts";

/** S11: the person is in the provider's window. S12: which may be closed; that is never an error. */
export function Waiting({
  view,
  screen,
}: {
  readonly view: View;
  readonly screen: Extract<Screen, { name: "waiting" }>;
}): JSX.Element {
  const { t, dispatch } = view;
  if (screen.flow.display === "redirect") {
    return (
      <AtWork view={view} flow={screen.flow} title={t("windowOpening")} body="">
        {null}
      </AtWork>
    );
  }
  return (
    <AtWork
      view={view}
      flow={screen.flow}
      title={t("waitingTitle")}
      body={screen.confirm ? t("waitingConfirm") : t("waitingBody")}
    >
      <div class="stack end">
        {screen.seemsClosed ? (
          <p class="text">{t("waitingClosed")}</p>
        ) : (
          <Button onClick={() => dispatch({ type: "showWindow" })}>
            <Icon name="window" size={18} />
            {t("waitingShow")}
          </Button>
        )}
        <Button kind={screen.seemsClosed ? "primary" : "plain"} onClick={() => dispatch({ type: "openAgain" })}>
          {t("waitingAgain")}
        </Button>
        <div class="pair">
          <Button kind="plain" onClick={() => dispatch({ type: "continueHere" })}>
            {t("waitingHere")}
          </Button>
          <Button kind="plain" onClick={() => dispatch({ type: "cancel" })}>
            {t("waitingCancel")}
          </Button>
        </div>
      </div>
    </AtWork>
  );
}

/** S13: the window did not open. */
export function Blocked({ view }: { readonly view: View }): JSX.Element {
  const { t, dispatch } = view;
  return (
    <div class="screen center">
      <Emblem kind="warn" icon="window" />
      <div class="stack">
        <Title>{t("blockedTitle")}</Title>
        <p class="text">{t("blockedBody")}</p>
      </div>
      <div class="stack end">
        <Button kind="primary" onClick={() => dispatch({ type: "continueHere" })}>
          {t("waitingHere")}
        </Button>
        <Button onClick={() => dispatch({ type: "openAgain" })}>{t("tryAgain")}</Button>
      </div>
    </div>
  );
}

/** S15: the proof is with the backend. */
export function Finishing({ view, flow }: { readonly view: View; readonly flow: Flow }): JSX.Element {
  const { t } = view;
  return (
    <AtWork view={view} flow={flow} title={t("finishingTitle")} body="">
      {null}
    </AtWork>
  );
}

function AtWork({
  view,
  flow,
  title,
  body,
  children,
}: {
  readonly view: View;
  readonly flow: Flow;
  readonly title: string;
  readonly body: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="screen center">
      <div class="turning">
        <span class="spinner" />
        {flow.provider !== null && <Logo view={view} provider={flow.provider} large />}
      </div>
      <div class="stack">
        <Title>{title}</Title>
        <p class="text">{body}</p>
      </div>
      {children ?? <div class="end" />}
    </div>
  );
}
