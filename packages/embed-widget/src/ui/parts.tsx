import type { ComponentChildren, JSX } from "preact";
import { isImporting } from "../machine/index.ts";
import type { Connection } from "@patchbay/shared";
import { Icon, type IconName } from "./icons.tsx";
import type { View } from "./view.ts";

type ButtonKind = "primary" | "secondary" | "danger" | "plain";

interface ButtonProps {
  readonly kind?: ButtonKind;
  readonly type?: "button" | "submit";
  /** Shown at work; clicks do nothing. */
  readonly busy?: boolean;
  /** Not possible now; stays focusable, so that a person can learn why. */
  readonly off?: boolean;
  readonly first?: boolean;
  readonly onClick?: () => void;
  readonly children: ComponentChildren;
}

export function Button({
  kind = "secondary",
  type = "button",
  busy,
  off,
  first,
  onClick,
  children,
}: ButtonProps): JSX.Element {
  const inert = busy === true || off === true;
  return (
    <button
      type={type}
      class={`button ${kind}`}
      part={`button ${kind}`}
      aria-disabled={inert ? "true" : undefined}
      aria-busy={busy ? "true" : undefined}
      data-focus={first ? "" : undefined}
      onClick={(event) => {
        if (inert) event.preventDefault();
        else onClick?.();
      }}
    >
      {busy && <span class="spinner" />}
      {children}
    </button>
  );
}

/** The heading of a screen: focus goes here when the screen changes, and it names the dialog. */
export function Title(props: { readonly describedBy?: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <h2 id="title" part="title" tabIndex={-1} data-focus="" aria-describedby={props.describedBy}>
      {props.children}
    </h2>
  );
}

export function Emblem({
  kind,
  icon,
}: {
  readonly kind: "ok" | "warn" | "quiet";
  readonly icon: IconName;
}): JSX.Element {
  return (
    <div class={`emblem ${kind}`}>
      <Icon name={icon} size={30} />
    </div>
  );
}

export function Note(props: {
  readonly kind?: "warn" | "bad";
  readonly icon: IconName;
  readonly alert?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class={`note small ${props.kind ?? ""}`} part="note" role={props.alert ? "alert" : undefined}>
      <Icon name={props.icon} size={18} />
      <span>{props.children}</span>
    </div>
  );
}

/** How a connection stands, in a word. */
export function Badge({ view, connection }: { readonly view: View; readonly connection: Connection }): JSX.Element {
  const { t } = view;
  const [kind, word] = ((): [string, string] => {
    if (connection.status === "paused") return ["", t("statusPaused")];
    if (connection.status !== "active") return ["warn", t("statusAttention")];
    if (isImporting(connection)) return ["busy", t("statusSyncing")];
    return connection.health === "degraded" ? ["warn", t("statusAttention")] : ["ok", t("statusConnected")];
  })();
  return (
    <span class={`badge ${kind}`} part="badge">
      {word}
    </span>
  );
}

/** How far the run under way, or the last one, has come. */
export function ImportProgress({
  view,
  connection,
}: {
  readonly view: View;
  readonly connection: Connection | undefined;
}): JSX.Element | null {
  const { t } = view;
  const run = connection?.latestRun ?? null;
  if (connection === undefined || (run === null && !isImporting(connection))) return null;
  const moving = isImporting(connection);
  const label = run === null || run.kind === "initial" ? t("importTitle") : t("statusSyncing");
  const share = run !== null && run.total !== null && run.total > 0 ? Math.min(1, run.done / run.total) : null;
  const percent = moving ? (share === null ? null : Math.round(share * 100)) : 100;
  return (
    <div class="import small">
      <div class="line">
        <span class="strong">{label}</span>
        <span class="text">{progressWords(view, run, moving)}</span>
      </div>
      <div
        class={`track ${percent === null ? "unknown" : ""} ${moving ? "" : "done"}`}
        part="progress"
        role="progressbar"
        aria-label={label}
        aria-valuenow={percent ?? undefined}
        aria-valuetext={progressWords(view, run, moving)}
      >
        <div style={percent === null ? {} : { width: `${Math.max(percent, 2)}%` }} />
      </div>
    </div>
  );
}

function progressWords({ t }: View, run: Connection["latestRun"], moving: boolean): string {
  if (run === null || (moving && run.done === 0)) return t("importWaiting");
  if (moving) {
    return run.total === null
      ? t("importCount", { done: run.done })
      : t("importCounts", { done: run.done, total: run.total });
  }
  return run.status === "completed" ? t("importCompleted", { done: run.done }) : t("importFailed");
}
