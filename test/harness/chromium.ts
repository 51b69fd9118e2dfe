import { existsSync } from "node:fs";

/** The browser of the browser tests; `null` where there is none, and then those tests skip with {@link NO_CHROMIUM}. */
export function chromiumPath(): string | null {
  const named = process.env["CHROMIUM_PATH"];
  if (named !== undefined && named !== "") return named;
  return USUAL_PATHS.find((path) => existsSync(path)) ?? null;
}

/** Why a browser test was skipped: `test.skipIf` takes no reason, `context.skip(NO_CHROMIUM)` does. */
export const NO_CHROMIUM = "no Chromium was found: install it, or set CHROMIUM_PATH";

/** No calls home, no sandbox (tests run as root in containers), nothing drawn on a GPU. */
export const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
] as const;

const USUAL_PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
