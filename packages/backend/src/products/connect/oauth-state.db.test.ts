/** The state of the OAuth dance: who may come back with which answer, and how often. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createConnectKit, type TestWorkspace } from "./testing/connect-kit.ts";

let kit: Awaited<ReturnType<typeof createConnectKit>>;
let workspace: TestWorkspace;
beforeAll(async () => {
  kit = await createConnectKit();
  workspace = await kit.aWorkspace();
});
afterAll(() => kit[Symbol.asyncDispose]());

const TOKEN_PATH = /\/oauth\/access_token$/;
/** `pnpm prove` takes 200. */
const PAIRS = Number(process.env["PATCHBAY_TEST_PAIRS"] ?? 40);

let persons = 0;
/** A browser that the provider has just sent back, and the address it was sent to. */
async function comingBack(tenantId = "acme") {
  const session = await kit.aSession(workspace, { tenantId, endUser: { id: `person-${persons++}` } });
  const { id, startUrl } = await kit.widget(session).start(kit.shop);
  const window = kit.browser();
  return { id, session, window, back: await window.decide(await window.open(startUrl)) };
}
type ComingBack = Awaited<ReturnType<typeof comingBack>>;

interface Refusal {
  readonly code: string;
  /** Comes back as an attacker would. */
  readonly attempt: (own: ComingBack) => Promise<unknown>;
  readonly after?: "ended";
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  missing: {
    code: "authorization_not_found",
    attempt: ({ window, back }) => (back.searchParams.delete("state"), window.comeBack(back)),
  },
  wrong: {
    code: "authorization_not_found",
    attempt: ({ window, back }) => {
      const state = back.searchParams.get("state") ?? "";
      back.searchParams.set("state", state.slice(0, -1) + (state.endsWith("0") ? "4" : "0"));
      return window.comeBack(back);
    },
  },
  reused: {
    code: "authorization_used",
    attempt: async ({ window, back }) => {
      await window.comeBack(back);
      kit.asked.length = 0;
      return window.comeBack(back);
    },
    after: "ended",
  },
  expired: {
    code: "authorization_expired",
    attempt: async ({ window, back }) => {
      kit.clock.advance(10 * 60_000);
      return window.comeBack(back).finally(() => kit.clock.advance(-10 * 60_000));
    },
  },
  "another tenant's": {
    code: "invalid_request",
    attempt: async ({ window, back }) => {
      const theirs = await comingBack("globex");
      back.searchParams.set("state", theirs.back.searchParams.get("state") ?? "");
      kit.asked.length = 0;
      return window.comeBack(back);
    },
  },
  "another provider's": {
    code: "authorization_not_found",
    attempt: ({ window, back }) =>
      kit.connect.callback({
        provider: "hubspot",
        query: back.searchParams,
        cookies: window.cookies,
        secFetchDest: "document",
      }),
  },
  "another browser's": { code: "invalid_request", attempt: ({ back }) => kit.browser().comeBack(back) },
};

describe("a state", () => {
  test.each(Object.entries(REFUSALS))(
    "O1: that is %s is refused, and no token is asked for",
    async (_, { code, attempt, after }) => {
      const own = await comingBack();
      kit.asked.length = 0;
      await expect(attempt(own)).rejects.toMatchObject({ code });
      expect(kit.asked.filter((path) => TOKEN_PATH.test(path))).toEqual([]);
      const { status } = await kit.connect.getAuthorization(own.session, own.id);
      expect(status).toBe(after === "ended" ? "exchanged" : "started");
    },
  );

  test(`O2: that comes to two processes at once is exchanged once, ${PAIRS} times`, { timeout: 300_000 }, async () => {
    await kit.withSecondNode(async (second) => {
      const outcomes = { exchanged: 0, refused: 0, requests: 0 };
      for (let pair = 0; pair < PAIRS; pair++) {
        const { back, window } = await comingBack();
        const input = { provider: "shopify", query: back.searchParams, cookies: window.cookies } as const;
        kit.asked.length = 0;
        const answers = await Promise.allSettled(
          [kit.connect, second].map((node) => node.callback({ ...input, secFetchDest: "document" })),
        );
        const consented = answers.filter((each) => each.status === "fulfilled" && each.value.kind === "consented");
        outcomes.exchanged += consented.length;
        outcomes.refused += answers.filter(
          (each) => each.status === "rejected" && (each.reason as { code?: string }).code === "authorization_used",
        ).length;
        outcomes.requests += kit.asked.filter((path) => TOKEN_PATH.test(path)).length;
      }
      process.stdout.write(`O2: ${PAIRS} pairs, ${JSON.stringify(outcomes)}\n`);
      expect(outcomes).toEqual({ exchanged: PAIRS, refused: PAIRS, requests: PAIRS });
    });
  });
});
