import type { JSX } from "preact";
import type { ConnectErrorCode } from "../types.ts";
import { FAILURES, type Screen } from "../machine/index.ts";
import { type IconName } from "../ui/icons.tsx";
import { Button, Emblem, Title } from "../ui/parts.tsx";
import { failureWords, type View, waitWords } from "../ui/view.ts";

type Shown = Extract<Screen, { name: "failed" }>;

const EMBLEMS: Partial<Record<ConnectErrorCode, readonly ["warn" | "quiet", IconName]>> = {
  access_denied: ["quiet", "cross"],
  already_connected: ["quiet", "check"],
  session_expired: ["quiet", "clock"],
  popup_timeout: ["quiet", "clock"],
  rate_limited: ["quiet", "clock"],
  provider_unavailable: ["warn", "unplug"],
};

/** S17, S20, S23–S25, S27: nothing was connected; what happened and the one next step. */
export function Failed({ view, screen }: { readonly view: View; readonly screen: Shown }): JSX.Element {
  const { failure } = screen;
  const left = failure.retryAfterSeconds;
  const [kind, icon] = EMBLEMS[failure.code] ?? ["warn", "alert"];
  const words = failureWords(view, failure);
  const counts = failure.code === "rate_limited";
  return (
    <div class="screen center">
      <Emblem kind={kind} icon={icon} />
      <div class="stack">
        <Title>{words.title}</Title>
        <p class="text">{counts ? waitWords(view.t, left) : words.body}</p>
      </div>
      <div class="stack end">
        <Actions view={view} screen={screen} left={left} />
        {FAILURES[failure.code].words === "error" && failure.requestId !== null && (
          <RequestId view={view} id={failure.requestId} copied={screen.copied === true} />
        )}
      </div>
    </div>
  );
}

function Actions({
  view,
  screen,
  left,
}: {
  readonly view: View;
  readonly screen: Shown;
  readonly left: number;
}): JSX.Element {
  const { t, dispatch } = view;
  const { failure, retry } = screen;
  if (failure.code === "already_connected") {
    const { connection } = failure;
    return (
      <>
        {connection !== null && (
          <Button kind="primary" onClick={() => dispatch({ type: "manage", connectionId: connection.id })}>
            {t("alreadyManage")}
          </Button>
        )}
        <Button
          kind={connection === null ? "primary" : "secondary"}
          onClick={() => dispatch({ type: "select", provider: failure.provider ?? "" })}
        >
          {t("alreadyAnother")}
        </Button>
      </>
    );
  }
  const words =
    failure.code === "session_expired"
      ? t("expiredStart")
      : failure.code === "account_mismatch"
        ? t("mismatchRetry")
        : t("tryAgain");
  return (
    <Button kind="primary" off={left > 0} onClick={() => dispatch(retry)}>
      {left > 0 && failure.code !== "rate_limited" ? waitWords(t, left) : words}
    </Button>
  );
}

function RequestId(props: { readonly view: View; readonly id: string; readonly copied: boolean }): JSX.Element {
  const { view, id, copied } = props;
  const copy = (): void => {
    void view.copy(id).then((done) => done && view.dispatch({ type: "copied" }));
  };
  return (
    <button type="button" class="link" onClick={copy}>
      {view.t(copied ? "errorCopied" : "errorCopy")}
    </button>
  );
}
