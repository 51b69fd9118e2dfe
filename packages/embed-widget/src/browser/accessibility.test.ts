/// <reference types="node" />
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Harness, LEFT_OUT, startHarness, type World } from "./harness.ts";
import { SCENES } from "./screens.ts";

if (LEFT_OUT !== null) process.stderr.write(`${LEFT_OUT}\n`);

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LOOKS = [
  { colorScheme: "light", viewport: { width: 1280, height: 800 } },
  { colorScheme: "dark", viewport: { width: 375, height: 740 } },
] as const;

describe.skipIf(LEFT_OUT !== null)("every screen", () => {
  let harness: Harness;
  let world: World | null = null;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterEach(async () => {
    await world?.close();
    world = null;
  });
  afterAll(() => harness.close());

  for (const scene of SCENES) {
    for (const look of LOOKS) {
      test(`${scene.name} breaks no rule of axe, ${look.colorScheme} at ${look.viewport.width} px`, async () => {
        world = await harness.world({ ...scene.world, context: { ...look, reducedMotion: "reduce" } });
        scene.prepare?.(world.backend.answers);
        await scene.reach(world);

        expect(await violations(world.page)).toEqual([]);
        expect(await looseEnds(world.page)).toEqual({ sideways: 0, small: [], moving: 0 });
        expect(world.complaints).toEqual([]);
      });
    }
  }

  test("stands 320 px and forced colours", async () => {
    world = await harness.world({
      context: { viewport: { width: 320, height: 640 }, forcedColors: "active", reducedMotion: "reduce" },
    });
    await SCENES.find(({ name }) => name === "S5 consent")?.reach(world);
    expect(await violations(world.page)).toEqual([]);
    expect(await looseEnds(world.page)).toEqual({ sideways: 0, small: [], moving: 0 });
    const border = await world.page.locator("dialog").evaluate((dialog) => getComputedStyle(dialog).borderTopStyle);
    expect(border).toBe("solid");
  });
});

async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const results = await page.evaluate<AxeResults>(
    `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`,
  );
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}

/** Pixels that scroll sideways, targets that are too small for a finger, things that move though none should. */
function looseEnds(page: Page): Promise<{ sideways: number; small: readonly string[]; moving: number }> {
  return page.locator("patchbay-connect").evaluate((element) => {
    const root = element.shadowRoot;
    if (root === null) throw new Error("no shadow root");
    const boxes = Array.from(root.querySelectorAll<HTMLElement>(".surface, .scroll"));
    const targets = Array.from(root.querySelectorAll<HTMLElement>("button, .input"));
    return {
      sideways: Math.max(...boxes.map((box) => box.scrollWidth - box.clientWidth)),
      small: targets
        .filter((target) => target.getBoundingClientRect().height < 44 || target.getBoundingClientRect().width < 44)
        .map((target) => target.outerHTML.slice(0, 80)),
      moving: root.getAnimations().filter((animation) => animation.playState === "running").length,
    };
  });
}
