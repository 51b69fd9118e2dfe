import {
  type Appearance,
  contrast,
  type Correction,
  customProperties,
  formatColor,
  MINIMUM_CONTRAST,
  parseColor,
  readable,
  type Rgb,
  textOn,
} from "./appearance.ts";

/**
 * Puts the host's look on the root, then moves colours that could not be read.
 *
 * Works on computed values, so that colours set by the page's own CSS are looked at too.
 *
 * @returns what was moved
 */
export function applyAppearance(root: HTMLElement, appearance: Appearance): readonly Correction[] {
  const { style } = root;
  for (const [name, value] of customProperties(appearance, (property, text) => CSS.supports(property, text))) {
    style.setProperty(name, value);
  }
  const corrections: Correction[] = [];
  const correct = (variable: Correction["variable"], before: Rgb, after: Rgb): Rgb => {
    const [from, to] = [formatColor(before), formatColor(after)];
    if (from !== to) corrections.push({ variable, from, to });
    return after;
  };
  const [light, dark] = (["light", "dark"] as const).map((scheme) => {
    const read = (name: string): Rgb | null => computedColor(root, `var(--_${name})`, scheme);
    const accent = read("accent") ?? [0, 0, 0];
    const given = read("onAccent") ?? textOn(accent);
    const on = contrast(given, accent) >= MINIMUM_CONTRAST ? given : textOn(accent);
    if (appearance.variables?.onAccent !== undefined) correct("onAccent", given, on);
    // As a ground for text, and as text on the surface.
    const ground = correct("accent", accent, readable(accent, on));
    return [ground, on, readable(accent, read("bg") ?? [1, 1, 1])].map(formatColor);
  }) as [string[], string[]];
  ["ground", "on", "ink"].forEach((name, index) => {
    style.setProperty(`--_${name}`, `light-dark(${light[index]}, ${dark[index]})`);
  });
  return corrections;
}

/** Mixing a colour with itself makes browsers answer in sRGB, whatever notation it was written in. */
function computedColor(root: HTMLElement, value: string, scheme: string): Rgb | null {
  const probe = root.appendChild(root.ownerDocument.createElement("i"));
  probe.style.colorScheme = scheme;
  probe.style.backgroundColor = `color-mix(in srgb, ${value}, ${value})`;
  const color = parseColor(getComputedStyle(probe).backgroundColor);
  probe.remove();
  return color;
}
