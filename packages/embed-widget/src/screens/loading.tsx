import type { JSX } from "preact";
import { Title } from "../ui/parts.tsx";
import type { View } from "../ui/view.ts";

/** S1: the session is on its way. */
export function Loading({ view, slow }: { readonly view: View; readonly slow: boolean }): JSX.Element {
  return (
    <div class="screen" aria-busy="true">
      <div class="stack">
        <span class="sr">
          <Title>{view.t("loading")}</Title>
        </span>
        <div class="skeleton" />
      </div>
      <div class="rows" aria-hidden="true">
        {[1, 2, 3].map((row) => (
          <div class="row" key={row}>
            <span class="logo" style={{ background: "var(--_softer)" }} />
            <span class="names">
              <span class="skeleton" />
              <span class="skeleton" />
            </span>
          </div>
        ))}
      </div>
      {slow && <p class="text small center">{view.t("loadingSlow")}</p>}
    </div>
  );
}
