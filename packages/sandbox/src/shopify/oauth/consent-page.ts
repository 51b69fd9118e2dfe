import { html } from "hono/html";
import { type Html, page } from "../../ui/page.ts";
import type { ShopProfile } from "../model.ts";
import type { AppRegistration } from "../world.ts";
import { compact, inWords } from "./scopes.ts";

interface Consent {
  readonly shop: ShopProfile;
  readonly app: AppRegistration;
  readonly scopes: readonly string[];
  /** Scopes held since an earlier installation; null: not installed. */
  readonly installed: readonly string[] | null;
}

/** What the merchant sees before the app gets in. */
export function consentPage(consent: Consent): Html {
  const { shop, app } = consent;
  const permissions = compact(consent.scopes);
  const body = html`<main>
    <div class="card">
      <div class="pair">
        <span class="mark" aria-hidden="true">${initial(app.title)}</span>
        <span class="soft" aria-hidden="true">→</span>
        <span class="mark store" aria-hidden="true">${initial(shop.name)}</span>
      </div>
      <div>
        <h1>Install ${app.title}</h1>
        <p class="soft">on <strong>${shop.name}</strong> · ${shop.domain}</p>
      </div>
      ${consent.installed ? html`<p class="notice">Already installed. Installing again renews its access.</p>` : ""}
      <hr />
      <h2>The app will be able to</h2>
      ${
        permissions.length === 0
          ? html`<p class="soft">see the store’s name, currency and domain</p>`
          : html`<ul class="permissions">
              ${permissions.map((scope) => html`<li><span>${inWords(scope)}</span></li>`)}
            </ul>`
      }
      <form method="post" class="actions">
        <button class="primary" name="decision" value="install" type="submit">Install app</button>
        <button name="decision" value="cancel" type="submit">Cancel</button>
      </form>
      <p class="soft small">This is a sandbox store: nothing real is connected, and everything in it is invented.</p>
    </div>
  </main>`;
  return page({ title: `Install ${app.title} · ${shop.name}`, body, narrow: true });
}

/** For requests that cannot go back to the app, because nobody knows whether it is one. */
export function problemPage(problem: string): Html {
  const body = html`<main>
    <div class="card">
      <h1>This app can’t be installed</h1>
      <p class="notice bad">${problem}</p>
      <p class="soft">Check the client id, the redirect URI and the scopes the app asks with.</p>
    </div>
  </main>`;
  return page({ title: "This app can’t be installed", body, narrow: true });
}

function initial(name: string): string {
  return name.slice(0, 1).toUpperCase();
}
