import type { JSX } from "preact";

interface Mark {
  readonly color: string;
  readonly path: string;
}

/** Marks of the providers, drawn rather than loaded: no image, no request. Outlines: Simple Icons (CC0), to a tenth. */
const MARKS: Readonly<Record<string, Mark>> = {
  shopify: {
    color: "#5a863e",
    path: "m15.3 24 7.3-1.6-2.7-17.7q0-.2-.2-.2l-2-.1-1.4-1.5zm-3.6-12.7s-.8-.4-1.8-.4c-1.4 0-1.5.9-1.5 1.1 0 1.3 3.3 1.7 3.3 4.7 0 2.2-1.5 3.7-3.4 3.7a5 5 0 0 1-3.6-1.5l.7-2s1.2 1 2.3 1q1-.1 1-1c0-1.5-2.7-1.6-2.7-4.3 0-2.2 1.5-4.4 4.8-4.4a4 4 0 0 1 1.9.4zM11.2.8l.4.2Q10 1.5 9 5l-2 .5C7.8 3.8 9 .8 11.2.8m1.2 3v.1l-2.4.7q.8-2.5 2.1-3 .3.9.3 2.2m.5-2.3c.7.1 1.2 1 1.5 1.8l-1.2.4v-.3q0-1.1-.3-1.9m3 1.3-.8.3C14.7 1.8 14 .7 12.6.7q-.8-.7-1.3-.7c-3.1 0-4.6 3.9-5 5.8L4 6.5q-.9.2-.8.9l-1.9 14L15 24z",
  },
  stripe: {
    color: "#635bff",
    path: "M14 9.2Q10.7 8 10.6 6.7q0-1.3 2-1.3c2.1 0 4.4.9 6 1.7l.9-5.5A17 17 0 0 0 12.2 0Q8.4 0 6 1.9a7 7 0 0 0-2.3 5.3c0 4 2.4 5.8 6.4 7.2 2.6 1 3.5 1.6 3.5 2.6q0 1.6-2.4 1.6c-1.9 0-5-1-7-2.1L3.4 22c1.8 1 5 2 8.3 2a10 10 0 0 0 6.3-1.8 7 7 0 0 0 2.6-5.7c0-4.2-2.6-5.9-6.6-7.3",
  },
  hubspot: {
    color: "#e8532f",
    path: "M18.2 8V5a2 2 0 0 0 1.2-1.9A2.2 2.2 0 0 0 17.2.7 2 2 0 0 0 15 3v.1a2 2 0 0 0 1.2 2v2.8a6 6 0 0 0-3 1.3l-7.7-6a2.5 2.5 0 1 0-1.2 1.5l7.7 6a6 6 0 0 0-1 3.4q0 2 1 3.6L9.8 20h-.5a2 2 0 1 0 2 2l-.1-.6 2.3-2.3a6.2 6.2 0 1 0 4.8-11.2m-1 9.3a3.2 3.2 0 1 1 3.2-3.2 3 3 0 0 1-3.2 3.2",
  },
};

/** A provider's mark; one that is not known shows its initial. */
export function Logo(props: {
  readonly provider: string;
  readonly name: string;
  readonly large?: boolean;
}): JSX.Element {
  const mark = Object.hasOwn(MARKS, props.provider) ? MARKS[props.provider] : undefined;
  return (
    <span
      class={`logo ${props.large ? "large" : ""}`}
      part="logo"
      aria-hidden="true"
      style={{ background: mark?.color }}
    >
      {mark === undefined ? (
        props.name.slice(0, 1).toUpperCase()
      ) : (
        <svg viewBox="0 0 24 24" fill="currentColor">
          <path d={mark.path} />
        </svg>
      )}
    </span>
  );
}
