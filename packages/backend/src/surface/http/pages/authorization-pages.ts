import type { AuthorizationMessage } from "@patchbay/shared";
import { html } from "hono/html";
import type { PageNames } from "../../../products/connect/index.ts";
import type { Page } from "./page.ts";

/** How long the page that opened the window has for its answer. */
const ANSWER_MS = 2_500;

/**
 * After consent, in the popup: tells the page that opened it, by exact origin, and closes when that page answers. When
 * the opener is severed (COOP), or knows nothing of it since it was reloaded, the person is asked to confirm instead.
 */
export function consentedPage(input: {
  readonly names: PageNames;
  readonly openerOrigin: string;
  readonly message: AuthorizationMessage;
  readonly confirmUrl: string;
}): Page {
  const script = `
    const message = ${embed(input.message)};
    const origin = ${embed(input.openerOrigin)};
    const confirm = () => location.replace(${embed(input.confirmUrl)});
    if (window.opener) {
      const unanswered = setTimeout(confirm, ${ANSWER_MS});
      addEventListener("message", ({ source, origin: from, data }) => {
        if (source !== window.opener || from !== origin) return;
        if (data?.type !== "patchbay:received" || data.authorizationId !== message.authorizationId) return;
        clearTimeout(unanswered);
        window.close();
        setTimeout(() => { document.getElementById("done").hidden = false; }, 400);
      });
      window.opener.postMessage(message, origin);
    } else {
      confirm();
    }`;
  return {
    title: `Connecting ${input.names.providerName}`,
    script,
    body: html`<div class="card" role="status">
      <h1>Connecting ${input.names.providerName}</h1>
      <p id="done" hidden>You can close this window and return to ${input.names.hostName}.</p>
    </div>`,
  };
}

/** The question that proves who consented when no window can vouch for it. */
export function confirmPage(input: {
  readonly names: PageNames;
  readonly accountName: string;
  readonly endUser: string;
  readonly csrf: string;
}): Page {
  const { names } = input;
  return {
    title: `Connect ${input.accountName} to ${names.hostName}?`,
    body: html`<form class="card" method="post">
      <h1>Connect ${input.accountName} to ${names.hostName} for ${input.endUser}?</h1>
      <p>Only continue if you started this in ${names.hostName}.</p>
      <input type="hidden" name="csrf" value="${input.csrf}" />
      <div class="actions">
        <button name="answer" value="connect">Connect</button>
        <button class="quiet" name="answer" value="refuse">This wasn’t me</button>
      </div>
    </form>`,
  };
}

export function confirmedPage(names: PageNames): Page {
  return {
    title: `${names.providerName} is being connected`,
    script: "window.close();",
    body: html`<div class="card" role="status">
      <h1>Almost done</h1>
      <p>Return to ${names.hostName} to finish. You can close this window.</p>
    </div>`,
  };
}

export function refusedPage(names: PageNames): Page {
  return {
    title: "Nothing was connected",
    body: html`<div class="card" role="status">
      <h1>Nothing was connected</h1>
      <p>Thank you for telling. ${names.hostName} did not get access. You can close this window.</p>
    </div>`,
  };
}

/** Consent was refused or something failed: the opener is told that there is news, and the window closes. */
export function endedPage(input: {
  readonly names: PageNames;
  readonly openerOrigin: string;
  readonly authorizationId: string;
  readonly error: string;
}): Page {
  const message: AuthorizationMessage = { type: "patchbay:authorization", authorizationId: input.authorizationId };
  const [title, text] = endedText(input.error, input.names);
  return {
    title,
    script: `
      if (window.opener) {
        window.opener.postMessage(${embed(message)}, ${embed(input.openerOrigin)});
        window.close();
      }`,
    body: html`<div class="card" role="alert">
      <h1>${title}</h1>
      <p>${text}</p>
    </div>`,
  };
}

/** A link that leads nowhere: used, expired, or opened in another browser. */
export function deadLinkPage(title: string, text: string, status: number, requestId: string): Page {
  return {
    title,
    status,
    body: html`<div class="card" role="alert">
      <h1>${title}</h1>
      <p>${text}</p>
      <small>Request <code>${requestId}</code></small>
    </div>`,
  };
}

function endedText(error: string, names: PageNames): readonly [title: string, text: string] {
  switch (error) {
    case "access_denied":
      return ["You didn’t give access", `Nothing was connected. You can try again in ${names.hostName}.`];
    case "missing_scopes":
      return ["One more permission is needed", `Return to ${names.hostName} to see which one, and try again.`];
    case "already_connected":
      return ["This account is already connected", `Return to ${names.hostName} to manage it.`];
    case "account_mismatch":
      return [`That’s a different ${names.providerName} account`, `Return to ${names.hostName} and sign in again.`];
    case "provider_unavailable":
      return [`${names.providerName} isn’t responding`, "Nothing was connected. Try again in a few minutes."];
    default:
      return ["This didn’t work", `Nothing was connected. Return to ${names.hostName} and try again.`];
  }
}

/** JSON that is safe inside a script element. */
function embed(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
