import {
  acceptedVariables,
  type Appearance,
  contrast,
  type Correction,
  formatColor,
  MINIMUM_CONTRAST,
  parseColor,
  readable,
  type Rgb,
  textOn,
} from "./appearance.ts";

const SCHEMES = ["light", "dark"] as const;

/**
 * Puts the host's look on the root, then moves colours that could not be read.
 *
 * Works on computed values, so that colours set by the page's own CSS are looked at too.
 *
 * @returns what was moved
 */
export function applyAppearance(root: HTMLElement, appearance: Appearance): readonly Correction[] {
  for (const name of Array.from(root.style).filter((property) => property.startsWith("--"))) {
    root.style.removeProperty(name);
  }
  for (const [name, value] of acceptedVariables(appearance, (property, text) => CSS.supports(property, text))) {
    root.style.setProperty(name, value);
  }
  root.dataset["density"] = appearance.density ?? "comfortable";

  const corrections: Correction[] = [];
  for (const scheme of SCHEMES) {
    const read = (name: string): Rgb | null => computedColor(root, `var(--_${name})`, scheme);
    const [accent, background] = [read("accent"), read("bg")];
    if (accent === null || background === null) continue;

    // The accent is text and icon on the surface as well as a button's ground.
    const ink = readable(accent, background);
    root.style.setProperty(`--_ink-${scheme}`, formatColor(ink));
    const given = read("on-accent");
    const chosen = given !== null && isSet(root, scheme) ? given : textOn(accent);
    const on = contrast(chosen, accent) >= MINIMUM_CONTRAST ? chosen : textOn(accent);
    const ground = readable(accent, on);
    root.style.setProperty(`--_ground-${scheme}`, formatColor(ground));
    root.style.setProperty(`--_on-${scheme}`, formatColor(on));

    if (!same(ground, accent))
      corrections.push({ variable: "accent", from: formatColor(accent), to: formatColor(ground) });
    if (!same(on, chosen)) corrections.push({ variable: "onAccent", from: formatColor(chosen), to: formatColor(on) });
  }
  return corrections;
}

function isSet(root: HTMLElement, scheme: "light" | "dark"): boolean {
  const style = getComputedStyle(root);
  const dark = scheme === "dark" ? style.getPropertyValue("--connect-dark-on-accent") : "";
  return dark !== "" || style.getPropertyValue("--connect-on-accent") !== "";
}

/** Mixing a colour with itself makes browsers answer in sRGB, whatever notation it was written in. */
function computedColor(root: HTMLElement, value: string, scheme: "light" | "dark"): Rgb | null {
  const probe = root.ownerDocument.createElement("i");
  probe.style.colorScheme = scheme;
  probe.style.color = `color-mix(in srgb, ${value}, ${value})`;
  root.append(probe);
  const color = parseColor(getComputedStyle(probe).color);
  probe.remove();
  return color;
}

function same(one: Rgb, other: Rgb): boolean {
  return formatColor(one) === formatColor(other);
}
