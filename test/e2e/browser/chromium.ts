import { type Browser, chromium } from "playwright-core";
import type { TestContext } from "vitest";
import { CHROMIUM_FLAGS, chromiumPath, NO_CHROMIUM } from "../../harness/chromium.ts";

export const hasChromium = chromiumPath() !== null;

/** For `beforeEach`: says why the test was left out. */
export function needChromium(context: TestContext): void {
  if (!hasChromium) context.skip(NO_CHROMIUM);
}

/**
 * Chromium as people have it: with scroll bars, pop-ups blocked unless clicked for, and storage of foreign frames kept
 * apart. Playwright switches all three off.
 */
export async function launchChromium(): Promise<Browser> {
  const options = { executablePath: chromiumPath() ?? "", args: [...CHROMIUM_FLAGS] };
  const switchedOff = await playwrightsSwitches(options);
  const kept = switchedOff.split(",").filter((feature) => feature !== "ThirdPartyStoragePartitioning");
  return chromium.launch({
    ...options,
    args: [...options.args, `${DISABLE_FEATURES}${kept.join(",")}`],
    ignoreDefaultArgs: ["--disable-popup-blocking", "--hide-scrollbars", `${DISABLE_FEATURES}${switchedOff}`],
  });
}

const DISABLE_FEATURES = "--disable-features=";

/** Read from a start, so that an upgrade of Playwright changes nothing here. */
async function playwrightsSwitches(options: { executablePath: string; args: string[] }): Promise<string> {
  const server = await chromium.launchServer(options);
  const argument = server.process().spawnargs.find((each) => each.startsWith(DISABLE_FEATURES)) ?? DISABLE_FEATURES;
  await server.close();
  return argument.slice(DISABLE_FEATURES.length);
}
