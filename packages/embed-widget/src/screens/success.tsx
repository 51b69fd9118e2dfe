import type { JSX } from "preact";
import { isImporting } from "../machine/index.ts";
import { Button, Emblem, ImportProgress, Title } from "../ui/parts.tsx";
import { findConnection, type View } from "../ui/view.ts";

/** S16: connected, and the first import goes on. */
export function Success({ view, connectionId }: { readonly view: View; readonly connectionId: string }): JSX.Element {
  const { state, t } = view;
  const connection = findConnection(state, connectionId);
  const finish = (): void =>
    view.mode === "modal" ? view.close() : view.dispatch({ type: "show", screen: { name: "list" } });
  return (
    <div class="screen center">
      <Emblem kind="ok" icon="check" />
      <div class="stack">
        <Title>{t("successTitle")}</Title>
        <p class="strong">{connection?.accountName}</p>
        {isImporting(connection) && <p class="text">{t("successBody")}</p>}
      </div>
      <ImportProgress view={view} connection={connection} />
      <div class="stack end">
        <Button kind="primary" onClick={finish}>
          {t("successDone")}
        </Button>
      </div>
    </div>
  );
}
