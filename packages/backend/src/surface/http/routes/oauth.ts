import { AppError } from "@patchbay/shared";
import type { Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { Connect } from "../../../products/connect/index.ts";
import type { HttpEnv } from "../env.ts";
import { readBody } from "../middleware/body-guard.ts";
import {
  confirmPage,
  confirmedPage,
  consentedPage,
  deadLinkPage,
  endedPage,
  refusedPage,
} from "../pages/authorization-pages.ts";
import { renderPage } from "../pages/page.ts";

const FORM_BYTES_MAX = 4_096;

/**
 * The window that goes to the provider and back: `/oauth/start/{ticket}`, `/oauth/callback/{provider}`,
 * `/oauth/confirm/{reference}`. People see these pages, so errors are pages too.
 */
export function mountOAuth(app: Hono<HttpEnv>, { connect }: { readonly connect: Connect }): void {
  app.get("/oauth/start/:ticket", (c) =>
    asPage(c, async () => {
      const { redirectTo, cookie } = await connect.openTicket(c.req.param("ticket"));
      setCookie(c, cookie.name, cookie.value, {
        httpOnly: cookie.httpOnly,
        sameSite: cookie.sameSite,
        secure: cookie.secure,
        path: cookie.path,
        maxAge: cookie.maxAgeSeconds,
      });
      return c.redirect(redirectTo, 303);
    }),
  );

  app.get("/oauth/callback/:provider", (c) =>
    asPage(c, async () => {
      const result = await connect.callback({
        provider: c.req.param("provider"),
        query: new URL(c.req.url).searchParams,
        cookies: getCookie(c),
        secFetchDest: c.req.header("sec-fetch-dest") ?? null,
      });
      switch (result.kind) {
        case "redirect":
          return c.redirect(result.url, 303);
        case "consented":
          return renderPage(c, consentedPage(result));
        case "ended":
          return renderPage(c, endedPage(result));
      }
    }),
  );

  app.get("/oauth/confirm/:reference", (c) =>
    asPage(c, async () => {
      const reference = c.req.param("reference");
      return renderPage(c, confirmPage(await connect.confirmScreen({ reference, cookies: getCookie(c) })));
    }),
  );

  app.post("/oauth/confirm/:reference", (c) =>
    asPage(c, async () => {
      refuseForeignForm(c);
      const form = new URLSearchParams((await readBody(c.req.raw, FORM_BYTES_MAX)).toString());
      const { kind, names } = await connect.answerConfirmation({
        reference: c.req.param("reference"),
        cookies: getCookie(c),
        csrf: form.get("csrf") ?? "",
        answer: form.get("answer") === "connect" ? "connect" : "refuse",
      });
      return renderPage(c, kind === "confirmed" ? confirmedPage(names) : refusedPage(names));
    }),
  );
}

/** A form of ours is posted by our own page; browsers say where a post comes from. */
function refuseForeignForm(c: Context<HttpEnv>): void {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin") {
    throw new AppError("invalid_request", "this form was sent from another site");
  }
}

async function asPage(c: Context<HttpEnv>, work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const [title, text] = DEAD_LINKS[error.code] ?? [
      "This link doesn’t work",
      "Go back to where you came from and try again.",
    ];
    return renderPage(c, deadLinkPage(title, text, error.status, c.get("requestId")));
  }
}

const BACK = "Close this window, go back to where you came from and try again.";
const DEAD_LINKS: Partial<Record<string, readonly [title: string, text: string]>> = {
  authorization_used: ["This link was used already", BACK],
  authorization_expired: ["This link has expired", BACK],
  authorization_not_found: ["This link doesn’t work", BACK],
  invalid_request: ["This window can’t go on", `It was started in another browser or window. ${BACK}`],
  provider_app_missing: ["This app isn’t set up", "The connection can’t be made at the moment. Nothing was connected."],
};
