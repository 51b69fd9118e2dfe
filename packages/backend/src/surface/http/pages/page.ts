import type { Context } from "hono";
import { html, raw } from "hono/html";
import { randomBytes } from "node:crypto";
import type { HttpEnv } from "../env.ts";

type Html = ReturnType<typeof html>;

export interface Page {
  readonly title: string;
  readonly body: Html;
  readonly script?: string;
  /** Wide pages hold tables, narrow ones a single question. */
  readonly width?: "narrow" | "wide";
  readonly status?: number;
}

/**
 * A page of our own: no third party, no inline code but what carries this answer's nonce, not to be framed.
 *
 * @param script runs once, as a module
 */
export async function renderPage(c: Context<HttpEnv>, page: Page): Promise<Response> {
  const nonce = randomBytes(16).toString("base64");
  const document = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title}</title>
        <link rel="icon" href="${ICON}" />
        <style nonce="${nonce}">
          ${raw(STYLE)}
        </style>
      </head>
      <body class="${page.width ?? "narrow"}">
        <main>${page.body}</main>
        ${
          page.script === undefined
            ? ""
            : html`<script type="module" nonce="${nonce}">
                ${raw(page.script)};
              </script>`
        }
      </body>
    </html>`;
  const csp = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "img-src data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return c.body(String(document), (page.status ?? 200) as never, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": csp,
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  });
}

/** Two jacks and the cord between them. */
export const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%232f5bea'/%3E" +
  "%3Cpath d='M10 10v5a6 6 0 0 0 12 0v-5' fill='none' stroke='%23fff' stroke-width='3' stroke-linecap='round'/%3E" +
  "%3Ccircle cx='10' cy='10' r='3.5' fill='%23fff'/%3E%3Ccircle cx='22' cy='10' r='3.5' fill='%23fff'/%3E%3C/svg%3E";

const STYLE = `
:root { color-scheme: light dark; --bg: light-dark(#f6f7f9, #101216); --card: light-dark(#fff, #181b21); --fg: light-dark(#16181d, #eceef2);
  --muted: light-dark(#5c6370, #9aa2b1); --line: light-dark(#e3e6eb, #2a2f38); --accent: light-dark(#2f5bea, #8aa6ff); --on-accent: light-dark(#fff, #0c1330);
  --ok: light-dark(#096b40, #5fd39c); --warn: light-dark(#7a4f00, #f0b95a); --bad: light-dark(#b3261e, #ff8f86); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--fg); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 28rem; margin: 0 auto; padding: 12vh 1.25rem 3rem; }
.wide main { max-width: 76rem; padding-top: 2.5rem; }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 .5rem; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 1rem; margin: 0; }
p { margin: 0 0 1rem; color: var(--muted); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.75rem; }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: 1.25rem; }
button, .button { font: inherit; font-weight: 600; min-height: 44px; padding: .5rem 1.1rem; border-radius: 10px; border: 1px solid transparent; background: var(--accent); color: var(--on-accent); cursor: pointer; text-decoration: none; display: inline-flex; align-items: center; }
button.quiet { background: transparent; color: var(--fg); border-color: var(--line); }
button:focus-visible, a:focus-visible, input:focus-visible { outline: 3px solid color-mix(in srgb, var(--accent) 55%, transparent); outline-offset: 2px; }
label { display: block; font-weight: 600; margin-bottom: .35rem; }
input { font: inherit; width: 100%; min-height: 44px; padding: .5rem .75rem; border-radius: 10px; border: 1px solid var(--muted); background: var(--bg); color: var(--fg); }
a { color: var(--accent); }
small, .muted { color: var(--muted); font-size: .85rem; }
code { font: .85em ui-monospace, SFMono-Regular, Menlo, monospace; overflow-wrap: anywhere; }
header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .5rem 1.5rem; margin-bottom: 1.5rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; margin-bottom: 1.25rem; overflow: hidden; }
section > .head { display: flex; align-items: baseline; justify-content: space-between; padding: .9rem 1.1rem; border-bottom: 1px solid var(--line); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .55rem 1.1rem; white-space: nowrap; }
th { color: var(--muted); font-weight: 500; font-size: .8rem; }
tbody tr + tr td, thead + tbody tr:first-child td { border-top: 1px solid var(--line); }
.empty { padding: 1.5rem 1.1rem; color: var(--muted); }
.pill { display: inline-block; padding: .1rem .55rem; border-radius: 99px; font-size: .8rem; font-weight: 600; background: color-mix(in srgb, currentColor 12%, transparent); color: var(--muted); }
.pill.ok { color: var(--ok); } .pill.warn { color: var(--warn); } .pill.bad { color: var(--bad); }
`;
