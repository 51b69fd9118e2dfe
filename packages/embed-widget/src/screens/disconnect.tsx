import type { JSX } from "preact";
import type { Screen } from "../machine/index.ts";
import { Button, Emblem } from "../ui/parts.tsx";
import { findConnection, type View } from "../ui/view.ts";

type Shown = Extract<Screen, { name: "disconnect" }>;

/** S31: the safe choice comes first and has the focus. */
export function Disconnect({ view, screen }: { readonly view: View; readonly screen: Shown }): JSX.Element | null {
  const { state, t, dispatch } = view;
  const connection = findConnection(state, screen.connectionId);
  if (connection === undefined) return null;
  return (
    <div class="screen center">
      <Emblem kind="warn" icon="unplug" />
      <div class="stack">
        <h2 id="title" part="title">
          {t("disconnectTitle")}
        </h2>
        <p class="text" id="consequences">
          {t("disconnectBody", { account: connection.accountName })}
        </p>
      </div>
      <div class="stack end">
        <Button kind="primary" first onClick={() => dispatch({ type: "back" })}>
          {t("disconnectKeep")}
        </Button>
        <Button kind="danger" busy={screen.busy} onClick={() => dispatch({ type: "change", verb: "disconnect" })}>
          {t("disconnectConfirm")}
        </Button>
      </div>
    </div>
  );
}
