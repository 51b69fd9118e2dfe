import type { JSX, TargetedMouseEvent } from "preact";
import { FAILURE_WORDS, type Screen } from "../machine/index.ts";
import { Button, Emblem, Title } from "../ui/parts.tsx";
import { failureWords, type View, waitWords } from "../ui/view.ts";

type Shown = Extract<Screen, { name: "failed" }>;

/** S17, S20, S23–S25, S27: nothing was connected; what happened and the one next step. */
export function Failed({ view, screen }: { readonly view: View; readonly screen: Shown }): JSX.Element {
  const { failure } = screen;
  const left = failure.retryAfterSeconds;
  const words = FAILURE_WORDS[failure.code];
  const waits = words === "rate" || words === "expired" || words === "timeout";
  const icon = waits ? "clock" : words === "already" ? "check" : "alert";
  const { title, body } = failureWords(view, failure);
  return (
    <div class="screen center">
      <Emblem kind={icon === "alert" ? "warn" : "quiet"} icon={icon} />
      <div class="stack">
        <Title describedBy="text">{title}</Title>
        <p class="text" id="text">
          {body}
        </p>
      </div>
      <div class="stack end">
        <Actions view={view} screen={screen} left={left} />
        {words === "error" && failure.requestId !== null && <RequestId view={view} id={failure.requestId} />}
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

function RequestId({ view, id }: { readonly view: View; readonly id: string }): JSX.Element {
  const copy = ({ currentTarget }: TargetedMouseEvent<HTMLButtonElement>): void => {
    // Where it is not allowed, the id stays readable in the text.
    void navigator.clipboard?.writeText(id).then(
      () => (currentTarget.textContent = view.t("errorCopied")),
      () => undefined,
    );
  };
  return (
    <button type="button" class="link" onClick={copy}>
      {view.t("errorCopy")}
    </button>
  );
}
