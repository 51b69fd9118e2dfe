import type { Connection, ConnectBootstrap } from "@patchbay/shared";
import type { Translate } from "../i18n/translate.ts";
import { currentFlow, type Event, type Failure, FAILURE_WORDS, type State } from "../machine/index.ts";

/** What every screen is given: what is, how it is worded, and the one way to change it. */
export interface View {
  readonly state: State;
  readonly t: Translate;
  readonly locale: string;
  readonly mode: "modal" | "inline";
  readonly dispatch: (event: Event) => void;
  readonly close: () => void;
}

/** The name, as people know it, of the provider that the screen is about. */
export function appName(state: State, provider = currentProvider(state)): string {
  return state.session?.providers.find(({ id }) => id === provider)?.name ?? provider ?? "";
}

function currentProvider(state: State): string | null {
  const { screen, preset } = state;
  if (screen.name === "failed") return screen.failure.provider;
  if (screen.name === "parameters" || screen.name === "consent") return screen.provider;
  if ("connectionId" in screen) return findConnection(state, screen.connectionId)?.provider ?? null;
  const flow = currentFlow(state);
  return flow === null ? preset.provider : flow.provider;
}

export function findConnection(state: State, id: string | null): Connection | undefined {
  return state.connections.find((known) => known.id === id);
}

export function may(state: State, permission: ConnectBootstrap["permissions"][number]): boolean {
  return state.session?.permissions.includes(permission) ?? false;
}

/** Title and text of a failure, for the screen and for the host's `error` event. */
export function failureWords(
  { t, locale }: Pick<View, "t" | "locale">,
  { code, connection, requestId, retryAfterSeconds }: Failure,
): { readonly title: string; readonly body: string } {
  const words = FAILURE_WORDS[code];
  const title = t(`${words}Title`);
  if (words === "rate") return { title, body: waitWords(t, retryAfterSeconds) };
  if (words === "error" && requestId === null) return { title, body: t("errorBodyNoId") };
  if (words === "timeout" || (words === "already" && connection === null)) return { title, body: t("deniedBody") };
  const date = connection === null ? "" : writeDate(locale, connection.activatedAt ?? connection.createdAt);
  return { title, body: t(`${words}Body`, { account: connection?.accountName ?? "", date, id: requestId ?? "" }) };
}

/** How long until the next try, in the largest unit that says enough. */
export function waitWords(t: Translate, seconds: number): string {
  if (seconds <= 0) return "";
  return seconds < 60 ? t("rateSeconds", { n: seconds }) : t("rateMinutes", { n: Math.ceil(seconds / 60) });
}

export function writeDate(locale: string, instant: string, timeStyle?: "short"): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle }).format(new Date(instant));
}
