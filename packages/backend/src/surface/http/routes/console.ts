import type { Delivery, Page as ListPage, Run, Workspace, WorkspaceId } from "@patchbay/shared";
import { decodeId } from "@patchbay/shared";
import type { Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock, Secret } from "../../../platform/runtime/index.ts";
import type { EventSummary } from "../../../products/delivery/index.ts";
import type { HttpEnv } from "../env.ts";
import { readBody } from "../middleware/body-guard.ts";
import { consolePage, emptyConsolePage, signInPage } from "../pages/console-page.ts";
import { renderPage } from "../pages/page.ts";

export interface ConsoleDeps {
  readonly operatorToken: Secret;
  readonly clock: Clock;
  readonly secureCookies: boolean;
  readonly listWorkspaces: () => Promise<readonly Workspace[]>;
  readonly recentRuns: (workspaceId: WorkspaceId, limit: number) => Promise<ListPage<Run>>;
  readonly recentEvents: (workspaceId: WorkspaceId, limit: number) => Promise<readonly EventSummary[]>;
  readonly recentDeliveries: (workspaceId: WorkspaceId, limit: number) => Promise<ListPage<Delivery>>;
}

const COOKIE = "patchbay_console";
const SESSION_MS = 8 * 3_600_000;
const TICKET_MS = 3_600_000;
const ROWS = 20;
const FORM_BYTES_MAX = 4_096;

/** A link that signs in for the next hour; the start command prints it. */
export function consoleLink(publicUrl: string, operatorToken: Secret, now: Date): string {
  return `${publicUrl}/console?ticket=${pass(operatorToken, "ticket", now.getTime() + TICKET_MS)}`;
}

/** `/console`: a read-only page for the operator. */
export function mountConsole(app: Hono<HttpEnv>, deps: ConsoleDeps): void {
  app.post("/console/sign-in", async (c) => {
    const form = new URLSearchParams((await readBody(c.req.raw, FORM_BYTES_MAX)).toString());
    if (!sameText(form.get("token") ?? "", deps.operatorToken.reveal())) {
      return renderPage(c, signInPage("This is not the operator token."));
    }
    return signIn(c, deps);
  });
  app.get("/console", async (c) => {
    const now = deps.clock.now().getTime();
    const ticket = c.req.query("ticket");
    if (ticket !== undefined && isPass(deps.operatorToken, "ticket", ticket, now)) return signIn(c, deps);
    if (!isPass(deps.operatorToken, "session", getCookie(c, COOKIE) ?? "", now)) {
      return renderPage(c, signInPage(null));
    }
    return renderPage(c, await show(deps, c.req.query("workspace")));
  });
}

async function show(deps: ConsoleDeps, wanted: string | undefined) {
  const workspaces = await deps.listWorkspaces();
  const selected = workspaces.find(({ id }) => id === wanted) ?? workspaces[0];
  const workspaceId = selected === undefined ? null : decodeId("ws", selected.id);
  if (selected === undefined || workspaceId === null) return emptyConsolePage();
  const [runs, events, deliveries] = await Promise.all([
    deps.recentRuns(workspaceId, ROWS),
    deps.recentEvents(workspaceId, ROWS),
    deps.recentDeliveries(workspaceId, ROWS),
  ]);
  return consolePage({
    workspaces,
    selected,
    runs: runs.data,
    events,
    deliveries: deliveries.data,
    now: deps.clock.now(),
  });
}

function signIn(c: Context<HttpEnv>, deps: ConsoleDeps): Response {
  const value = pass(deps.operatorToken, "session", deps.clock.now().getTime() + SESSION_MS);
  setCookie(c, COOKIE, value, {
    httpOnly: true,
    sameSite: "Strict",
    secure: deps.secureCookies,
    path: "/console",
    maxAge: SESSION_MS / 1_000,
  });
  return c.redirect("/console", 303);
}

/** `<expiry>.<HMAC>`: says that the holder had the operator token. */
function pass(token: Secret, kind: "ticket" | "session", expiresAtMs: number): string {
  const mac = createHmac("sha256", token.reveal()).update(`console ${kind} ${expiresAtMs}`).digest("base64url");
  return `${expiresAtMs}.${mac}`;
}

function isPass(token: Secret, kind: "ticket" | "session", text: string, nowMs: number): boolean {
  const expiresAtMs = Number(text.split(".")[0]);
  return expiresAtMs > nowMs && sameText(text, pass(token, kind, expiresAtMs));
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHmac("sha256", "compare").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
