import { CONNECTION_STATUSES } from "@patchbay/shared";
import { describe, expect, test } from "vitest";
import { CONNECTION_EVENTS, transition, type ConnectionEvent } from "./state.ts";

/** `→status` moves and is told; `→status (silent)` moves; `=` changes nothing; `x` is refused. */
const TABLE: Readonly<Record<(typeof CONNECTION_STATUSES)[number], Partial<Record<ConnectionEvent, string>>>> = {
  pending: {
    activate: "→active",
    reauthorized: "x",
    credentialsDied: "=",
    pause: "x",
    resume: "x",
    revoked: "=",
    disconnect: "→disconnected",
  },
  active: {
    activate: "=",
    reauthorized: "=",
    credentialsDied: "→reauthorizationRequired",
    pause: "→paused (silent)",
    resume: "=",
    revoked: "→revoked",
    disconnect: "→disconnected",
  },
  paused: {
    activate: "=",
    reauthorized: "=",
    credentialsDied: "→reauthorizationRequired",
    pause: "=",
    resume: "→active (silent)",
    revoked: "→revoked",
    disconnect: "→disconnected",
  },
  reauthorizationRequired: {
    activate: "=",
    reauthorized: "→active",
    credentialsDied: "=",
    pause: "x",
    resume: "x",
    revoked: "→revoked",
    disconnect: "→disconnected",
  },
  revoked: {
    activate: "x",
    reauthorized: "→active",
    credentialsDied: "=",
    pause: "x",
    resume: "x",
    revoked: "=",
    disconnect: "→disconnected",
  },
  disconnected: {
    activate: "x",
    reauthorized: "x",
    credentialsDied: "=",
    pause: "x",
    resume: "x",
    revoked: "=",
    disconnect: "=",
  },
};

describe("transition", () => {
  const cases = CONNECTION_STATUSES.flatMap((status) =>
    Object.entries(TABLE[status]).map(([event, expected]) => [status, event as ConnectionEvent, expected] as const),
  );
  test.each(cases)("%s on %s: %s", (status, event, expected) => {
    expect(shown(status, event)).toBe(expected);
  });

  test("names a repair a recovery", () => {
    expect(transition("revoked", "reauthorized")).toMatchObject({ announce: "connection.recovered" });
  });

  test("changes nothing when an event is said twice", () => {
    for (const status of CONNECTION_STATUSES) {
      for (const event of CONNECTION_EVENTS) {
        const first = transition(status, event);
        if (first.kind === "moved") expect(transition(first.to, event).kind).toBe("same");
      }
    }
  });
});

function shown(status: (typeof CONNECTION_STATUSES)[number], event: ConnectionEvent): string {
  const next = transition(status, event);
  switch (next.kind) {
    case "same":
      return "=";
    case "refused":
      return "x";
    case "moved":
      return `→${next.to}${next.announce === null ? " (silent)" : ""}`;
  }
}
