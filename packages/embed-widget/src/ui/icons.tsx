import type { JSX } from "preact";

/** Strokes on a 24 × 24 grid. */
const ICONS = {
  close: "M6 6l12 12M18 6L6 18",
  back: "M15 5l-7 7 7 7",
  forward: "M9 5l7 7-7 7",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M7 7l10 10M17 7L7 17",
  alert: "M12 8v5M12 16.5v.01M12 3.5l9.2 16H2.8z",
  clock: "M12 7v5l3 2M12 3a9 9 0 110 18 9 9 0 010-18z",
  window: "M4 5h16v14H4zM4 9.5h16",
  unplug: "M9 3v4M15 3v4M6 9h12v2a6 6 0 01-12 0zM12 17v4",
} as const;

export type IconName = keyof typeof ICONS;

/** Decoration: what it means is always said in words too. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={ICONS[name]} />
    </svg>
  );
}
