/** Colours and measures a host can set. Colours take every CSS colour; measures take CSS lengths. */
export type AppearanceVariable =
  | "accent"
  | "onAccent"
  | "bg"
  | "fg"
  | "muted"
  | "line"
  | "fieldLine"
  | "danger"
  | "ok"
  | "warn"
  | "radius"
  | "space"
  | "font"
  | "fontSize"
  | "backdrop";

/** How the widget looks. The page's own CSS can set the same and wins: `--connect-accent`, `::part(primary)`. */
export interface Appearance {
  readonly variables?: Partial<Record<AppearanceVariable, string>> | undefined;
  /** Colours that differ in the dark. */
  readonly dark?: Partial<Record<AppearanceVariable, string>> | undefined;
}

/** Red, green, blue from 0 to 1. */
export type Rgb = readonly [number, number, number];

/** A colour that had to move, for the event that tells the host. */
export interface Correction {
  readonly variable: "accent" | "onAccent";
  readonly from: string;
  readonly to: string;
}

/** WCAG 2.2, 1.4.3: text of normal size. */
export const MINIMUM_CONTRAST = 4.5;

/** Colours in the light and in the dark; those between text and ground follow them unless set. */
const COLORS: Partial<Record<AppearanceVariable, readonly [light: string, dark?: string]>> = {
  bg: ["#fff", "#16181d"],
  fg: ["#1a1d24", "#f2f4f8"],
  muted: [between(68)],
  line: [between(13)],
  fieldLine: [between(52)],
  danger: ["#b42318", "#ff9b92"],
  ok: ["#08693f", "#5fd6a0"],
  warn: ["#854700", "#f5b75c"],
  accent: ["#2f54eb", "#8299ff"],
  onAccent: ["#fff", "#000"],
  backdrop: ["#0008"],
};
const MEASURES: Partial<Record<AppearanceVariable, string>> = { radius: "10px", space: "8px", fontSize: "15px" };
const STEPS = 50;
const WHITE: Rgb = [1, 1, 1];
const BLACK: Rgb = [0, 0, 0];

/**
 * The custom properties that the style sheet is written in: the page's CSS, else what the host set, else ours.
 *
 * @param supports whether a browser understands a value; what it does not is left out
 */
export function customProperties(
  { variables = {}, dark = {} }: Appearance,
  supports: (property: string, value: string) => boolean,
): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  const accepted = (property: string, value: string | undefined): string | undefined =>
    value !== undefined && supports(property, value) ? value : undefined;

  for (const [name, [light, night = light]] of Object.entries(COLORS)) {
    const given = accepted("color", variables[name as AppearanceVariable]);
    // An accent is the host's in the dark as well; a light ground is not.
    const carried = /accent/i.test(name) ? given : undefined;
    const after = accepted("color", dark[name as AppearanceVariable]) ?? carried ?? night;
    properties.set(`--_${name}`, `var(${cssName(name)}, light-dark(${given ?? light}, ${after}))`);
  }
  for (const [name, usual] of Object.entries(MEASURES)) {
    const value = accepted("width", variables[name as AppearanceVariable]);
    properties.set(`--_${name}`, `var(${cssName(name)}, ${value ?? usual})`);
  }
  properties.set("--_font", `var(--connect-font, ${accepted("font-family", variables.font) ?? "inherit"})`);
  return properties;
}

function between(percent: number): string {
  return `color-mix(in srgb, var(--_fg) ${percent}%, var(--_bg))`;
}

/** `onAccent` → `--connect-on-accent`. */
export function cssName(variable: string): string {
  return `--connect-${variable.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The nearest colour to `color`, towards black or white, that can be read on `background`. */
export function readable(color: Rgb, background: Rgb): Rgb {
  if (contrast(color, background) >= MINIMUM_CONTRAST) return color;
  const target = contrast(WHITE, background) > contrast(BLACK, background) ? WHITE : BLACK;
  for (let step = 1; step <= STEPS; step++) {
    const mixed = mix(color, target, step / STEPS);
    if (contrast(mixed, background) >= MINIMUM_CONTRAST) return mixed;
  }
  return target;
}

/** White where it can be read on a colour, else black. */
export function textOn(color: Rgb): Rgb {
  return contrast(WHITE, color) >= MINIMUM_CONTRAST || contrast(WHITE, color) > contrast(BLACK, color) ? WHITE : BLACK;
}

/** @see https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrast(one: Rgb, other: Rgb): number {
  const [low, high] = [luminance(one), luminance(other)].toSorted((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Reads a colour that a browser mixed in sRGB, as it answers for a computed style. */
export function parseColor(computed: string): Rgb | null {
  const [red, green, blue] = (/^color\(srgb (.+?)\)/.exec(computed)?.[1] ?? "").split(" ").map(Number);
  return red === undefined || green === undefined || blue === undefined ? null : [red, green, blue];
}

export function formatColor(color: Rgb): string {
  const hex = color.map((part) =>
    Math.round(Math.min(1, Math.max(0, part)) * 255)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${hex.join("")}`;
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const part = (index: 0 | 1 | 2): number => from[index] + (to[index] - from[index]) * share;
  return [part(0), part(1), part(2)];
}

function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  ) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
