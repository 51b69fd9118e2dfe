import { describe, expect, test } from "vitest";
import {
  contrast,
  cssName,
  customProperties,
  formatColor,
  MINIMUM_CONTRAST,
  parseColor,
  readable,
  type Rgb,
  textOn,
} from "./appearance.ts";

const WHITE: Rgb = [1, 1, 1];
const YELLOW: Rgb = [1, 0.9, 0.2];

describe("contrast", () => {
  test("is 21 between black and white, and 1 between equals", () => {
    expect(contrast([0, 0, 0], WHITE)).toBeCloseTo(21);
    expect(contrast(YELLOW, YELLOW)).toBe(1);
  });
});

describe("readable", () => {
  test("leaves a colour that can be read", () => {
    const blue: Rgb = [0.1, 0.2, 0.8];
    expect(readable(blue, WHITE)).toBe(blue);
  });

  test.each([
    [YELLOW, WHITE],
    [[0.2, 0.2, 0.5] as Rgb, [0.08, 0.09, 0.11] as Rgb],
    [[0.5, 0.5, 0.5] as Rgb, [0.5, 0.5, 0.5] as Rgb],
  ])("moves %j on %j until text of normal size can be read, and no further", (color, background) => {
    const ratio = contrast(readable(color, background), background);
    expect(ratio).toBeGreaterThanOrEqual(MINIMUM_CONTRAST);
    expect(ratio).toBeLessThan(MINIMUM_CONTRAST + 0.6);
  });
});

describe("textOn", () => {
  test("is white on a dark accent and black on a bright one", () => {
    expect(textOn([0.1, 0.2, 0.8])).toEqual(WHITE);
    expect(textOn(YELLOW)).toEqual([0, 0, 0]);
  });
});

describe("parseColor", () => {
  test("reads what browsers answer for a colour mixed in sRGB", () => {
    expect(parseColor("color(srgb 0.2 0.4 1)")).toEqual([0.2, 0.4, 1]);
    expect(parseColor("color(srgb 0.2 0.4 1 / 0.5)")?.slice(0, 2)).toEqual([0.2, 0.4]);
    expect(parseColor("oklch(0.5 0.1 200)")).toBeNull();
  });

  test("colours out of the sRGB range are written within it", () => {
    expect(formatColor([-0.1, 0.5, 1.2])).toBe("#0080ff");
  });
});

describe("customProperties", () => {
  const all = (): boolean => true;
  const none = (): boolean => false;

  test("lets the page's own CSS win over what the host set", () => {
    expect(customProperties({ variables: { bg: "ivory" } }, all).get("--_bg")).toMatch(
      /^var\(--connect-bg, light-dark\(ivory, /,
    );
  });

  test("carries an accent into the dark, but not a light ground", () => {
    const properties = customProperties({ variables: { accent: "teal", bg: "ivory" } }, all);
    expect(properties.get("--_accent")).toContain("light-dark(teal, teal)");
    expect(properties.get("--_bg")).toContain("light-dark(ivory, #16181d)");
  });

  test("leaves out what a browser does not understand", () => {
    expect(customProperties({ variables: { radius: "url(x)" } }, none).get("--_radius")).toBe(
      "var(--connect-radius, 10px)",
    );
  });

  test("names properties as CSS does", () => {
    expect(cssName("onAccent")).toBe("--connect-on-accent");
  });
});
