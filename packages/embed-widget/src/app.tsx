import type { JSX } from "preact";
import type { Screen, State } from "./machine/index.ts";
import { Consent } from "./screens/consent.tsx";
import { Disconnect } from "./screens/disconnect.tsx";
import { Failed } from "./screens/failed.tsx";
import { Blocked, Finishing, Waiting } from "./screens/flow.tsx";
import { List } from "./screens/list.tsx";
import { Loading } from "./screens/loading.tsx";
import { Manage } from "./screens/manage.tsx";
import { Parameters } from "./screens/parameters.tsx";
import { Success } from "./screens/success.tsx";
import { Icon } from "./ui/icons.tsx";
import { Note } from "./ui/parts.tsx";
import type { View } from "./ui/view.ts";

/** What is inside the surface: the bar, the screen shown now, and what is told aloud. */
export function App({ view }: { readonly view: View }): JSX.Element {
  const { state, t } = view;
  const { screen } = state;

  return (
    <>
      <Bar view={view} />
      <div class="scroll">
        {!state.online && (
          <div class="banner">
            <Note kind="warn" icon="alert">
              {t("offline")}
            </Note>
          </div>
        )}
        <Shown key={screen.name} view={view} screen={screen} />
        <slot name="footer" />
      </div>
      <p class="sr" role="status">
        {announcement(view)}
      </p>
    </>
  );
}

function Bar({ view }: { readonly view: View }): JSX.Element {
  const { state, t } = view;
  return (
    <div class="bar" part="header">
      {canGoBack(state) && (
        <button
          type="button"
          class="icon-button"
          part="back"
          aria-label={t("back")}
          onClick={() => view.dispatch({ type: "back" })}
        >
          <Icon name="back" />
        </button>
      )}
      <slot name="logo" />
      <span class="fill" />
      {state.session?.mode === "test" && <span class="tag">{t("testMode")}</span>}
      {view.mode === "modal" && (
        <button type="button" class="icon-button" part="close" aria-label={t("close")} onClick={view.close}>
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}

function Shown({ view, screen }: { readonly view: View; readonly screen: Screen }): JSX.Element {
  switch (screen.name) {
    case "loading":
      return <Loading view={view} slow={screen.slow} />;
    case "list":
      return <List view={view} />;
    case "parameters":
      return <Parameters view={view} screen={screen} />;
    case "consent":
      return <Consent view={view} screen={screen} />;
    case "waiting":
      return <Waiting view={view} screen={screen} />;
    case "blocked":
      return <Blocked view={view} />;
    case "finishing":
      return <Finishing view={view} flow={screen.flow} />;
    case "success":
      return <Success view={view} connectionId={screen.connectionId} />;
    case "failed":
      return <Failed view={view} screen={screen} />;
    case "manage":
      return <Manage view={view} screen={screen} />;
    case "disconnect":
      return <Disconnect view={view} screen={screen} />;
    default:
      return <List view={view} />;
  }
}

/** Ends the key of a form whose answer was refused. */
export const REFUSED = "!";

/** Same key: the same screen with other data. */
export function screenKey({ screen, failures }: State): string {
  const { name } = screen;
  if (name === "waiting") return name + screen.flow.serial;
  if (name === "failed") return name + failures;
  return name === "parameters" && Object.keys(screen.problems).length > 0 ? name + REFUSED : name;
}

function canGoBack({ screen, preset, session }: State): boolean {
  const { name } = screen;
  if (name === "waiting" || name === "blocked" || name === "disconnect") return true;
  if (name === "manage") return preset.intent !== "manage";
  const asked = name === "consent" && Object.keys(screen.parameters).length > 0;
  const first = name === "parameters" || name === "failed" || name === "consent";
  return asked || (first && preset.provider === null && session !== null);
}

/** Told aloud where the focus does not move. */
function announcement(view: View): string {
  const { state, t } = view;
  const { screen } = state;
  if (!state.online) return t("offline");
  if (screen.name === "loading") return screen.slow ? t("loadingSlow") : t("loading");
  if (screen.name === "waiting" && screen.seemsClosed) return t("waitingClosed");
  return "";
}
