import type { AuthorizationMessage } from "@patchbay/shared";

const WIDTH = 620;
const HEIGHT = 760;

/** A window that must be opened in the task of a click, before it is known where it goes. */
export interface Popup {
  /** Only a hint: true as well for a window that was cut off from this page. */
  seemsClosed(): boolean;
  navigate(url: string): void;
  focus(): void;
  close(): void;
  readonly window: Window;
}

/** @returns `null` when the browser blocked it */
export function openPopup(host: Window, title: string): Popup | null {
  const left = Math.max(0, Math.round(host.screenX + (host.outerWidth - WIDTH) / 2));
  const top = Math.max(0, Math.round(host.screenY + (host.outerHeight - HEIGHT) / 2));
  const popup = host.open("about:blank", "_blank", `popup,width=${WIDTH},height=${HEIGHT},left=${left},top=${top}`);
  if (popup === null) return null;
  fill(popup, title);
  return {
    window: popup,
    seemsClosed: () => popup.closed,
    navigate: (url) => popup.location.replace(url),
    focus: () => popup.focus(),
    close: () => popup.close(),
  };
}

/** A word in the blank window, until the provider's page is there. */
function fill(popup: Window, title: string): void {
  try {
    const { document } = popup;
    document.title = title;
    document.body.textContent = title;
    Object.assign(document.body.style, {
      font: "16px/1.5 system-ui, sans-serif",
      margin: "0",
      display: "grid",
      placeItems: "center",
      minHeight: "100vh",
      colorScheme: "light dark",
      opacity: "0.7",
    });
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
  return !/\b(FBAN|FBAV|FB_IAB|Instagram|Line|MicroMessenger|Snapchat|Pinterest|TikTok|BytedanceWebview)\b|; wv\)/.test(
    userAgent,
  );
}
