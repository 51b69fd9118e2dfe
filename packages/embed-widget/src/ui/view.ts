import type { Connection, ConnectBootstrap } from "@patchbay/shared";
import type { Translate } from "../i18n/translate.ts";
import type { Event, Failure, State } from "../machine/index.ts";

/** What every screen is given: what is, how it is worded, and the one way to change it. */
export interface View {
  readonly state: State;
  readonly t: Translate;
  readonly locale: string;
  readonly mode: "modal" | "inline";
  readonly dispatch: (event: Event) => void;
  readonly close: () => void;
  /** @returns whether the text is on the clipboard */
  readonly copy: (text: string) => Promise<boolean>;
}

/** The name of a provider as people know it. */
export function appName(state: State, provider: string | null): string {
  if (provider === null) return "";
  return state.session?.providers.find((candidate) => candidate.id === provider)?.name ?? provider;
}

export function hostName(view: Pick<View, "state" | "t">): string {
  return view.state.session?.hostName ?? view.t("theHost");
}

export function findConnection(state: State, id: string): Connection | undefined {
  return state.connections.find((known) => known.id === id);
}

export function may(state: State, permission: ConnectBootstrap["permissions"][number]): boolean {
  return state.session?.permissions.includes(permission) ?? false;
}

/** Title and text of a failure, for the screen and for the host's `error` event. */
export function failureWords(
  view: Pick<View, "state" | "t" | "locale">,
  failure: Failure,
): { readonly title: string; readonly body: string } {
  const { t } = view;
  const app = appName(view.state, failure.provider);
  const host = hostName(view);
  const id = failure.requestId;
  switch (failure.code) {
    case "access_denied":
      return { title: t("denied.title"), body: t("denied.body") };
    case "missing_scopes":
      return { title: t("scopes.title"), body: t("scopes.body", { app }) };
    case "already_connected":
      return { title: t("already.title"), body: alreadyBody(view, failure) };
    case "account_mismatch":
      return { title: t("mismatch.title", { app }), body: t("mismatch.body") };
    case "popup_timeout":
      return { title: t("timeout.title", { app }), body: t("denied.body") };
    case "session_expired":
      return { title: t("expired.title"), body: t("expired.body") };
    case "provider_unavailable":
      return { title: t("provider.title", { app }), body: t("provider.body", { app }) };
    case "rate_limited":
      return { title: t("rate.title"), body: waitWords(t, failure.retryAfterSeconds) };
    case "session_forbidden":
    case "origin_not_allowed":
    case "invalid_shop":
    case "shop_not_found":
    case "offline":
    case "unknown":
    default:
      return {
        title: t("error.title"),
        body: t(id === null ? "error.bodyNoId" : "error.body", { host, id: id ?? "" }),
      };
  }
}

/** How long until the next try, in the largest unit that says enough. */
export function waitWords(t: Translate, seconds: number): string {
  if (seconds <= 0) return t("rate.ready");
  return seconds < 60 ? t("rate.seconds", { n: seconds }) : t("rate.minutes", { n: Math.ceil(seconds / 60) });
}

export function writeDate(locale: string, instant: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(instant));
}

/** “2 minutes ago”; older than a week: the date. */
export function writeAgo(locale: string, instant: string, now: number): string {
  const seconds = Math.min(0, Math.round((Date.parse(instant) - now) / 1000));
  const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  if (seconds > -45) return words.format(0, "second");
  if (seconds > -3_600) return words.format(Math.round(seconds / 60), "minute");
  if (seconds > -86_400) return words.format(Math.round(seconds / 3_600), "hour");
  return seconds > -604_800 ? words.format(Math.round(seconds / 86_400), "day") : writeDate(locale, instant);
}

function alreadyBody({ t, locale }: Pick<View, "t" | "locale">, { connection }: Failure): string {
  if (connection === null) return "";
  const date = writeDate(locale, connection.activatedAt ?? connection.createdAt);
  return t("already.body", { account: connection.accountName, date });
}
