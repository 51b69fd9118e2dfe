import type { JSX } from "preact";
import { Icon } from "../ui/icons.tsx";
import { Logo } from "../ui/logo.tsx";
import { readWords } from "../ui/models.ts";
import { Button, Title } from "../ui/parts.tsx";
import { findConnection, type View } from "../ui/view.ts";
import type { Screen } from "../machine/index.ts";

type Shown = Extract<Screen, { name: "consent" }>;

/** S5: what will be read, before the provider's own page. */
export function Consent({ view, screen }: { readonly view: View; readonly screen: Shown }): JSX.Element {
  const { state, t } = view;
  const repaired = screen.connectionId === null ? undefined : findConnection(state, screen.connectionId);
  const offered = state.session?.providers.find((candidate) => candidate.id === screen.provider)?.models ?? [];
  const person = state.session?.endUser.label ?? state.session?.endUser.email ?? null;
  const account = repaired?.accountName ?? Object.values(screen.parameters).join(", ");
  return (
    <div class="screen">
      <Logo view={view} provider={screen.provider} large />
      <div class="stack">
        <Title>{t(repaired ? "manageReconnect" : "consentTitle")}</Title>
        {account !== "" && <p class="text">{account}</p>}
      </div>
      <div class="panel">
        <h3>{t("consentCan")}</h3>
        <ul class="ok">
          {readWords(view, repaired?.models ?? offered).map((words) => (
            <li key={words}>
              <Icon name="check" size={18} />
              <span>{words}</span>
            </li>
          ))}
        </ul>
        <h3>{t("consentCannot")}</h3>
        <ul>
          <li>
            <Icon name="cross" size={18} />
            <span>{t("consentChange")}</span>
          </li>
        </ul>
      </div>
      <p class="text small">{t("consentPassword")}</p>
      <div class="stack end">
        <Button
          kind="primary"
          onClick={() =>
            view.dispatch({
              type: "authorize",
              target: { provider: screen.provider, parameters: screen.parameters, connectionId: screen.connectionId },
              display: state.preset.display,
            })
          }
        >
          {t("consentContinue")}
        </Button>
        {person !== null && <p class="text small center">{t("consentFor", { label: person })}</p>}
      </div>
    </div>
  );
}
