import type { ConnectProvider, Connection } from "@patchbay/shared";
import type { JSX } from "preact";
import { Icon } from "../ui/icons.tsx";
import { Logo } from "../ui/logo.tsx";
import { Badge, Emblem, Title } from "../ui/parts.tsx";
import { hostName, may, type View } from "../ui/view.ts";
import { modelNames } from "../ui/models.ts";

/** S2: the apps, and the accounts connected already. S4: none. */
export function List({ view }: { readonly view: View }): JSX.Element {
  const { state, t } = view;
  const providers = state.session?.providers ?? [];
  const shown = state.connections.filter((known) => known.status !== "pending" && known.status !== "disconnected");
  if (providers.length === 0 && shown.length === 0) {
    return (
      <div class="screen center">
        <Emblem kind="quiet" icon="unplug" />
        <div class="stack">
          <Title>{t("list.title")}</Title>
          <p class="text">{t("list.empty", { host: hostName(view) })}</p>
        </div>
        <div class="end" />
      </div>
    );
  }
  return (
    <div class="screen">
      <Title>{t("list.title")}</Title>
      <ul class="rows">
        {providers.flatMap((provider) => {
          const connected = shown.filter((connection) => connection.provider === provider.id);
          return connected.length === 0
            ? [<ProviderRow key={provider.id} view={view} provider={provider} />]
            : connected.map((connection) => (
                <ConnectionRow key={connection.id} view={view} name={provider.name} connection={connection} />
              ));
        })}
        {shown
          .filter((connection) => !providers.some((provider) => provider.id === connection.provider))
          .map((connection) => (
            <ConnectionRow key={connection.id} view={view} name={connection.provider} connection={connection} />
          ))}
      </ul>
    </div>
  );
}

function ProviderRow({
  view,
  provider,
}: {
  readonly view: View;
  readonly provider: ConnectProvider;
}): JSX.Element | null {
  if (!may(view.state, "connect")) return null;
  return (
    <li>
      <button
        type="button"
        class="row"
        part="app"
        onClick={() => view.dispatch({ type: "select", provider: provider.id })}
      >
        <Logo provider={provider.id} name={provider.name} />
        <span class="names">
          <span class="strong">{provider.name}</span>
          <span class="text small">{modelNames(view, provider.models)}</span>
        </span>
        <Icon name="forward" size={18} />
      </button>
    </li>
  );
}

function ConnectionRow(props: {
  readonly view: View;
  readonly name: string;
  readonly connection: Connection;
}): JSX.Element {
  const { view, name, connection } = props;
  return (
    <li>
      <button
        type="button"
        class="row"
        part="app"
        onClick={() => view.dispatch({ type: "manage", connectionId: connection.id })}
      >
        <Logo provider={connection.provider} name={name} />
        <span class="names">
          <span class="strong">{name}</span>
          <span class="text small">{connection.accountName}</span>
        </span>
        <Badge view={view} connection={connection} />
        <Icon name="forward" size={18} />
      </button>
    </li>
  );
}
