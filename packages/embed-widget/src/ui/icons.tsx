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
  window: "M4 6.5A1.5 1.5 0 015.5 5h13A1.5 1.5 0 0120 6.5v11a1.5 1.5 0 01-1.5 1.5h-13A1.5 1.5 0 014 17.5zM4 9.5h16",
  lock: "M7 11V8a5 5 0 0110 0v3M6 11h12v9H6z",
  offline: "M3 3l18 18M8.5 15.5a5 5 0 017 0M5 12a10 10 0 015.2-2.8M14.5 9.4A10 10 0 0119 12M12 19v.01",
  hand: "M12 3a9 9 0 110 18 9 9 0 010-18zM6 6l12 12",
  unplug: "M9 3v4M15 3v4M6 9h12v2a6 6 0 01-12 0zM12 17v4",
  plus: "M12 5v14M5 12h14",
} as const;

export type IconName = keyof typeof ICONS;

/** Decoration: what it means is always said in words too. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg
      class={name === "forward" || name === "back" ? "chevron" : undefined}
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
