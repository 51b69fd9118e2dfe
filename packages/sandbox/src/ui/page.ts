import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { STYLE } from "./style.ts";

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** A whole page of the sandbox. `narrow` is for dialogs that stand alone, such as the consent page. */
export function page(content: { readonly title: string; readonly body: Html; readonly narrow?: boolean }): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${content.title}</title>
        <link rel="icon" href="data:image/svg+xml,${raw(ICON)}" />
        <style>
          ${raw(STYLE)}
        </style>
      </head>
      <body class="${content.narrow ? "narrow" : "wide"}">
        ${content.body}
      </body>
    </html>`;
}

const ICON =
  "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%23176b52'/%3E%3Cpath d='M4 6h8l-1 6H5z' fill='%23fff'/%3E%3C/svg%3E";
