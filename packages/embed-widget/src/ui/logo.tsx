import type { JSX } from "preact";
import { appName, type View } from "./view.ts";

interface Mark {
  readonly color: string;
  readonly path: string;
}

/** Marks of the providers, drawn rather than loaded: no image, no request. Outlines: Simple Icons (CC0), on a grid of 96. */
const MARKS: Readonly<Record<string, Mark>> = {
  shopify: {
    color: "#5a863e",
    path: "m61 96 29-6-10-71-1-1-8-1-6-5v-1zM47 45l-7-1q-7 1-6 4c0 5 13 7 13 19q-1 14-14 15c-9 0-14-6-14-6l2-9s5 5 10 5q3 0 4-4c0-6-11-7-11-17 0-9 6-18 19-18l8 1zM45 3l1 1q-7 2-10 16l-7 2c2-7 7-19 16-19m5 12-10 3q3-11 8-12zm2-9q4 1 5 7l-4 2v-1zm12 5-2 1q-3-8-10-9h-1q-2-3-5-3C33 0 27 16 25 23l-9 3q-4 1-3 4L6 86l54 10z",
  },
  stripe: {
    color: "#635bff",
    path: "M56 37q-14-5-14-10t8-5q14 1 24 6l4-22q-8-4-29-6-15 1-25 7-9 9-9 22c0 16 10 23 26 29q15 4 14 10 0 6-10 6c-7 0-20-3-28-8l-3 22q12 7 33 8 16 0 25-7 10-8 10-23-1-23-26-29",
  },
  hubspot: {
    color: "#e8532f",
    path: "M73 32V20a9 9 0 0 0 5-8 9 9 0 0 0-9-9 9 9 0 0 0-9 9 9 9 0 0 0 5 8v12l-12 5-31-24a10 10 0 1 0-5 6l31 24-4 13q0 9 4 15l-9 9h-2a8 8 0 1 0 8 8l-1-3v1l10-10a25 25 0 1 0 19-44m-4 37a13 13 0 1 1 13-13 13 13 0 0 1-13 13",
  },
};

/** A provider's mark; one that is not known shows its initial. */
export function Logo(props: { readonly provider: string; readonly view: View; readonly large?: boolean }): JSX.Element {
  const mark = MARKS[props.provider];
  return (
    <span
      class={`logo ${props.large ? "large" : ""}`}
      part="logo"
      aria-hidden="true"
      style={{ background: mark?.color }}
    >
      {mark === undefined ? (
        appName(props.view.state, props.provider).slice(0, 1).toUpperCase()
      ) : (
        <svg viewBox="0 0 96 96" fill="currentColor">
          <path d={mark.path} />
        </svg>
      )}
    </span>
  );
}
