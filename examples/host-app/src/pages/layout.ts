import { html } from "hono/html";
import { type User, USERS } from "../demo.ts";
import type { Assets } from "../read-assets.ts";

/** What hono's `html` gives. */
export type Markup = ReturnType<typeof html>;

export interface PageContext {
  readonly user: User;
  readonly assets: Assets;
  readonly patchbayOrigin: string;
}

interface Layout extends PageContext {
  readonly title: string;
  readonly path: "/" | "/events";
  readonly content: Markup;
}

export function layout({ user, assets, patchbayOrigin, title, path, content }: Layout): Markup {
  const current = (at: string) => (at === path ? html` aria-current="page"` : "");
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Tideline</title>
        <link rel="stylesheet" href="${assets["app.css"].path}" />
        <script src="${assets["app.js"].path}" defer></script>
        <script async src="${patchbayOrigin}/embed/v1.js"></script>
      </head>
      <body data-tenant="${user.tenant.id}">
        <a class="skip" href="#content">Skip to content</a>
        <header class="bar">
          <div class="bar-inner">
            <a class="brand" href="/" aria-label="Tideline, overview">${wave()}<span>Tideline</span></a>
            <nav class="nav" aria-label="Main">
              <a href="/" ${current("/")}>Overview</a>
              <a href="/events" ${current("/events")}>Events</a>
            </nav>
            ${switcher(user, path)}
          </div>
        </header>
        <main id="content" class="page" tabindex="-1">${content}</main>
        <footer class="foot">
          <p>Tideline is the example product of Patchbay. Its customers and people are made up.</p>
        </footer>
      </body>
    </html>`;
}

function switcher(user: User, path: string): Markup {
  return html`<details class="who">
    <summary>
      <span class="who-text"><b>${user.tenant.name}</b><span>${user.name}</span></span>
      <span class="avatar ${user.tenant.id}" aria-hidden="true">${user.initials}</span>
      <span class="hidden">Switch account</span>${icon("chevron")}
    </summary>
    <form class="who-menu" method="post" action="/sign-in">
      <p>Sign in as</p>
      <input type="hidden" name="back" value="${path}" />
      ${USERS.map(
        (other) =>
          html`<button name="user" value="${other.id}" ${other === user ? html` aria-current="true"` : ""}>
            <span class="avatar ${other.tenant.id}" aria-hidden="true">${other.initials}</span>
            <span class="who-text"><b>${other.tenant.name}</b><span>${other.name}</span></span>
            ${other === user ? icon("check") : ""}
          </button>`,
      )}
    </form>
  </details>`;
}

const PATHS = {
  check: "M3.5 8.5l3 3 6-7",
  chevron: "M4.5 6.5L8 10l3.5-3.5",
  plus: "M8 3v10M3 8h10",
  shield: "M8 1.8l5 1.9v3.9c0 3.1-2 5.5-5 6.6-3-1.1-5-3.5-5-6.6V3.7zM5.7 8l1.7 1.7 3-3.4",
} as const;

export function icon(name: keyof typeof PATHS): Markup {
  return html`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <path d="${PATHS[name]}" />
  </svg>`;
}

function wave(): Markup {
  return html`<svg class="mark" viewBox="0 0 28 28" width="28" height="28" aria-hidden="true">
    <rect width="28" height="28" rx="8" />
    <path d="M5 12.2c3 0 3-2.6 6-2.6s3 2.6 6 2.6 3-2.6 6-2.6M5 18.6c3 0 3-2.6 6-2.6s3 2.6 6 2.6 3-2.6 6-2.6" />
  </svg>`;
}
