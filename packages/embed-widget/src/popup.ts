import type { AuthorizationMessage } from "@patchbay/shared";

const WIDTH = 620;
const HEIGHT = 760;

/**
 * Opens a blank window. It must be opened in the task of a click, before it is known where it goes.
 *
 * @returns `null` when the browser blocked it
 */
export function openPopup(host: Window, title: string): Window | null {
  const popup = host.open("about:blank", "_blank", `popup,width=${WIDTH},height=${HEIGHT}`);
  if (popup !== null) fill(popup, title);
  return popup;
}

/** A word in the blank window, until the provider's page is there. */
function fill(popup: Window, title: string): void {
  try {
    const { document } = popup;
    document.title = title;
    document.body.textContent = title;
    document.documentElement.style.colorScheme = "light dark";
  } catch {
    // A page that isolates itself may not write into it; it is only a courtesy.
  }
}

/**
 * Reads a message as the callback page's, or not at all: its origin, its window and its shape must be right.
 *
 * It is a hint. What was connected is asked of the backend.
 */
export function readAuthorizationMessage(
  event: Pick<MessageEvent, "origin" | "source" | "data">,
  expected: { readonly origin: string; readonly window: Window | null },
): AuthorizationMessage | null {
  if (event.origin !== expected.origin || expected.window === null || event.source !== expected.window) return null;
  const data: unknown = event.data;
  if (typeof data !== "object" || data === null) return null;
  const { type, authorizationId, completionCode } = data as Readonly<Record<string, unknown>>;
  if (type !== "patchbay:authorization" || typeof authorizationId !== "string") return null;
  if (completionCode === undefined) return { type, authorizationId };
  return typeof completionCode === "string" ? { type, authorizationId, completionCode } : null;
}

/** Tells the callback page that its message arrived, so that it need not ask the person to confirm. */
export function acknowledge(popup: Window, authorizationId: string, origin: string): void {
  popup.postMessage({ type: "patchbay:received", authorizationId }, origin);
}

/** In-app browsers open no second window, or one that never comes back. */
export function hasPopups(userAgent: string): boolean {
  return !/FB[A_]|Instagram|Line\/|; wv\)/.test(userAgent);
}
