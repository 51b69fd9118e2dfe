import type { JSX } from "preact";
import type { Screen } from "../machine/index.ts";
import { Button, Emblem } from "../ui/parts.tsx";
import { appName, findConnection, hostName, type View } from "../ui/view.ts";

type Shown = Extract<Screen, { name: "disconnect" }>;

/** S31: the safe choice comes first and has the focus. */
export function Disconnect({ view, screen }: { readonly view: View; readonly screen: Shown }): JSX.Element | null {
  const { state, t, dispatch } = view;
  const connection = findConnection(state, screen.connectionId);
  if (connection === undefined) return null;
  const app = appName(state, connection.provider);
  return (
    <div class="screen center">
      <Emblem kind="warn" icon="unplug" />
      <div class="stack">
        <h2 id="title" part="title">
          {t("disconnect.title", { app })}
        </h2>
        <p class="text" id="consequences">
          {t("disconnect.body", { host: hostName(view), account: connection.accountName })}
        </p>
      </div>
      <div class="stack end">
        <Button kind="primary" first onClick={() => dispatch({ type: "back" })}>
          {t("disconnect.keep")}
        </Button>
        <Button kind="danger" busy={screen.busy} onClick={() => dispatch({ type: "change", verb: "disconnect" })}>
          {t("disconnect.confirm", { app })}
        </Button>
      </div>
    </div>
  );
}
