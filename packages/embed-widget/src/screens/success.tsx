import type { JSX } from "preact";
import { Button, Emblem, ImportProgress, Title } from "../ui/parts.tsx";
import { appName, findConnection, type View } from "../ui/view.ts";

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
        <Title>{t("success.title", { app: appName(state, connection?.provider ?? null) })}</Title>
        <p class="strong">{connection?.accountName}</p>
        <p class="text">{t(view.mode === "modal" ? "success.body" : "success.bodyInline")}</p>
      </div>
      <ImportProgress view={view} connection={connection} />
      <div class="stack end">
        <Button kind="primary" onClick={finish}>
          {t("success.done")}
        </Button>
      </div>
    </div>
  );
}
