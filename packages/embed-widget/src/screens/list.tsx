import type { ConnectProvider, Connection } from "@patchbay/shared";
import type { JSX } from "preact";
import { Icon } from "../ui/icons.tsx";
import { Logo } from "../ui/logo.tsx";
import { modelNames } from "../ui/models.ts";
import { Badge, Title } from "../ui/parts.tsx";
import { may, type View } from "../ui/view.ts";

/** S2: the apps, and the accounts connected already. S4: none. */
export function List({ view }: { readonly view: View }): JSX.Element {
  const { state, t } = view;
  const rows = (state.session?.providers ?? []).flatMap((provider) => {
    const connected = state.connections.filter(({ provider: id, status }) => id === provider.id && isShown(status));
    const add = may(state, "connect") ? [<Row key={provider.id} view={view} provider={provider} />] : [];
    return connected.length === 0
      ? add
      : connected.map((connection) => (
          <Row key={connection.id} view={view} provider={provider} connection={connection} />
        ));
  });
  return (
    <div class="screen">
      <Title>{t("listTitle")}</Title>
      {rows.length === 0 && <p class="text">{t("listEmpty")}</p>}
      <ul class="rows">{rows}</ul>
    </div>
  );
}

interface RowProps {
  readonly view: View;
  readonly provider: ConnectProvider;
  readonly connection?: Connection;
}

function Row({ view, provider, connection }: RowProps): JSX.Element {
  const { id, name, models } = provider;
  const open = (): void =>
    view.dispatch(connection ? { type: "manage", connectionId: connection.id } : { type: "select", provider: id });
  return (
    <li>
      <button type="button" class="row" part="app" onClick={open}>
        <Logo view={view} provider={id} />
        <span class="names">
          <span class="strong">{name}</span>
          <span class="text small">{connection?.accountName ?? modelNames(view, models)}</span>
        </span>
        {connection && <Badge view={view} connection={connection} />}
        <Icon name="forward" size={18} />
      </button>
    </li>
  );
}

function isShown(status: Connection["status"]): boolean {
  return status !== "pending" && status !== "disconnected";
}
