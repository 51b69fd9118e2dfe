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

/** How the widget looks. Everything can be set by CSS as well: `--connect-accent`, `--connect-dark-bg`, `::part(primary)`. */
export interface Appearance {
  readonly variables?: Partial<Record<AppearanceVariable, string>> | undefined;
  /** Colours that differ in the dark. */
  readonly dark?: Partial<Record<AppearanceVariable, string>> | undefined;
  readonly density?: "comfortable" | "compact" | undefined;
  /** `showConsent: false` leaves out the screen that says what will be read. Default `true`. */
  readonly layout?: { readonly showConsent?: boolean | undefined } | undefined;
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

const SIZES: ReadonlySet<string> = new Set(["radius", "space", "fontSize"]);
const STEPS = 50;
const WHITE: Rgb = [1, 1, 1];
const BLACK: Rgb = [0, 0, 0];

/** `onAccent` → `--connect-on-accent`, in the dark `--connect-dark-on-accent`. */
export function variableName(variable: string, dark = false): string {
  return `--connect-${dark ? "dark-" : ""}${variable.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Values that the browser does not understand are left out: the default is better than nothing. */
export function acceptedVariables(
  appearance: Appearance,
  supports: (property: string, value: string) => boolean,
): ReadonlyMap<string, string> {
  const accepted = new Map<string, string>();
  for (const [values, dark] of [
    [appearance.variables, false],
    [appearance.dark, true],
  ] as const) {
    for (const [variable, value] of Object.entries(values ?? {})) {
      if (supports(propertyOf(variable), value)) accepted.set(variableName(variable, dark), value);
    }
  }
  return accepted;
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

/** Reads what a browser answers for a colour mixed in sRGB. @returns `null` for a form it does not know */
export function parseColor(computed: string): Rgb | null {
  const srgb = /^color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)/.exec(computed);
  if (srgb) return rgb(srgb, 1);
  const legacy = /^rgba?\(([\d.]+), ?([\d.]+), ?([\d.]+)/.exec(computed);
  return legacy ? rgb(legacy, 255) : null;
}

export function formatColor(color: Rgb): string {
  const hex = color.map((part) =>
    Math.round(part * 255)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${hex.join("")}`;
}

function propertyOf(variable: string): string {
  if (variable === "font") return "font-family";
  return SIZES.has(variable) ? "width" : "color";
}

function rgb(match: RegExpExecArray, scale: number): Rgb {
  const part = (index: number): number => Math.min(1, Math.max(0, Number(match[index]) / scale));
  return [part(1), part(2), part(3)];
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
