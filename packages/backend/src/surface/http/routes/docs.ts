import type { Hono } from "hono";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { HttpEnv } from "../env.ts";
import { ICON } from "../pages/page.ts";

/**
 * `/openapi.json` and `/docs`, the same document for people. The page loads nothing from elsewhere: the reference's
 * script comes from its package, and its policy lets it talk to this server alone.
 */
export function mountDocs(app: Hono<HttpEnv>, deps: { readonly document: () => Record<string, unknown> }): void {
  // Made when it is first asked for: it took a tenth of every start.
  let json: string | null = null;
  app.get("/openapi.json", (c) =>
    c.body((json ??= JSON.stringify(deps.document())), 200, {
      "content-type": "application/json",
      "access-control-allow-origin": "*",
      "cache-control": "no-cache",
    }),
  );
  app.get("/docs", (c) =>
    c.body(PAGE, 200, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:; " +
        "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    }),
  );
  app.get("/docs/before.js", (c) => c.body(BEFORE, 200, { "content-type": "text/javascript" }));
  app.get("/docs/start.js", (c) => c.body(START, 200, { "content-type": "text/javascript" }));
  app.get("/docs/reference.js", () => sendFile(referenceScript(), "public, max-age=86400"));
}

/** `/embed/v1.js`: the widget for a script tag; `/embed/v1.mjs`: the same as a module. */
export function mountEmbed(app: Hono<HttpEnv>): void {
  for (const [path, file] of EMBED_FILES) {
    app.get(path, async () => {
      const response = await sendFile(join(embedFolder(), file), "public, max-age=300");
      response.headers.set("access-control-allow-origin", "*");
      response.headers.set("cross-origin-resource-policy", "cross-origin");
      return response;
    });
  }
}

const EMBED_FILES = [
  ["/embed/v1.js", "embed.js"],
  ["/embed/v1.mjs", "patchbay-connect.js"],
] as const;

function embedFolder(): string {
  return dirname(fileURLToPath(import.meta.resolve("@patchbay/embed-widget/dist/embed.js")));
}

function referenceScript(): string {
  return join(dirname(fileURLToPath(import.meta.resolve("@scalar/api-reference"))), "browser/standalone.js");
}

async function sendFile(path: string, cacheControl: string): Promise<Response> {
  const { size } = await stat(path);
  const body = Readable.toWeb(createReadStream(path)) as ReadableStream;
  return new Response(body, {
    headers: {
      "content-type": "text/javascript; charset=utf-8",
      "content-length": String(size),
      "cache-control": cacheControl,
    },
  });
}

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Patchbay API</title>
    <link rel="icon" href="${ICON}" />
  </head>
  <body>
    <div id="reference"></div>
    <script src="/docs/before.js"></script>
    <script src="/docs/reference.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>`;

/** The reference's schema library would try out `eval`, which the page's policy refuses and browsers report. */
const BEFORE = `globalThis.__zod_globalConfig = { jitless: true };`;

const START = `Scalar.createApiReference("#reference", {
  url: "/openapi.json",
  telemetry: false,
  withDefaultFonts: false,
  hideClientButton: true,
  showDeveloperTools: "never",
  authentication: { preferredSecurityScheme: "api" },
  // Behind long headings it draws a link that is seen only under a pointer and makes narrow pages scroll sideways.
  customCss: ".section { overflow-x: clip }",
  agent: { disabled: true },
  mcp: { disabled: true },
});`;
