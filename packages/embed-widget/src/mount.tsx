import { render } from "preact";
import { createApiClient } from "./api-client.ts";
import { App, REFUSED, screenKey } from "./app.tsx";
import { applyAppearance } from "./apply-appearance.ts";
import { type Controller, createController } from "./controller.ts";
import { en } from "./i18n/en.ts";
import { createTranslate, type Translate, chooseLocale } from "./i18n/translate.ts";
import type { Preset, Resumption } from "./machine/index.ts";
import { hasPopups } from "./popup.ts";
import css from "./styles.css?inline";
import type { ConnectEvent, ConnectHandle, ConnectOptions } from "./types.ts";
import { appName, failureWords } from "./ui/view.ts";

/** What can change while the widget is open. */
export type Look = Pick<ConnectOptions, "locale" | "messages" | "theme" | "appearance">;

export interface MountOptions {
  readonly root: ShadowRoot;
  readonly options: ConnectOptions;
  readonly mode: "modal" | "inline";
  readonly apiBase: string;
  readonly resumption: Resumption | null;
  /** The window is opened in this very task, as the click that mounts is the only one. */
  readonly openWindowAtOnce: boolean;
  readonly emit: (event: ConnectEvent) => void;
  readonly onClosed: () => void;
}

export interface Widget {
  state(): ConnectHandle["state"];
  update(look: Look): void;
  close(): void;
  destroy(): void;
}

/** Builds the widget inside a shadow root and starts it. */
export function mount(input: MountOptions): Widget {
  const { root, mode, emit } = input;
  const document = root.ownerDocument;
  const host = document.defaultView;
  if (host === null) throw new Error("the document is in no window");

  const preset = readPreset(input.options, host);
  let look: Look = input.options;
  const surface = build(root, mode);
  const gone = new AbortController();
  const api = createApiClient({
    apiBase: input.apiBase,
    fetch: host.fetch.bind(host),
    fetchSessionToken: input.options.fetchSessionToken,
    signal: gone.signal,
  });
  const words = (): { readonly t: Translate; readonly locale: string } => {
    const { locale: wished, messages } = look;
    const state = controller.state();
    const { session } = state;
    const locale = chooseLocale(wished, session?.locale ?? document.documentElement.lang);
    const names = { host: session?.hostName ?? messages?.theHost ?? en.theHost, app: appName(state) };
    return { locale, t: createTranslate(locale, en, messages, names) };
  };
  const controller = createController({
    api,
    apiOrigin: new URL(input.apiBase, host.location.href).origin,
    window: host,
    preset,
    resumption: input.resumption,
    emit,
    onChange: () => draw(),
    wordFailure: (failure) => failureWords(words(), failure).title,
    windowTitle: input.options.messages?.windowOpening ?? en.windowOpening,
    openWindowAtOnce: input.openWindowAtOnce && preset.display === "popup",
  });

  let closed = false;
  const end = (): void => {
    if (closed) return;
    closed = true;
    const { session, completed } = controller.state();
    controller.dispose();
    gone.abort();
    unlock();
    if (surface instanceof HTMLDialogElement && surface.open) surface.close();
    render(null, surface);
    root.replaceChildren();
    emit({ type: "close", detail: { sessionId: session?.sessionId ?? "", completed } });
    input.onClosed();
  };
  const close = (): void => {
    controller.abandon();
    end();
  };

  const dress = ({ theme, appearance }: Look): void => {
    const frame = surface.parentElement;
    if (frame === null) return;
    frame.dataset["theme"] = theme ?? "auto";
    const corrections = applyAppearance(frame, appearance ?? {});
    // Who opens the widget listens only after it is open.
    queueMicrotask(() => corrections.forEach((detail) => emit({ type: "appearance-corrected", detail })));
  };

  let drawn = mode === "inline" ? "loading" : "";
  const draw = (): void => {
    const state = controller.state();
    render(<App view={{ ...words(), state, mode, dispatch: controller.dispatch, close }} />, surface);
    const before = drawn;
    drawn = screenKey(state);
    moveFocus(surface, before, drawn, mode);
  };

  dress(look);
  draw();
  const unlock = surface instanceof HTMLDialogElement ? showModal(surface, controller, close, end) : () => undefined;
  controller.dispatch({ type: "start", reason: "init" });

  return {
    state: () => (closed ? "closed" : readState(controller)),
    update(change) {
      look = { ...look, ...change };
      dress(look);
      draw();
    },
    close,
    destroy: end,
  };
}

/** Focus follows the screen, or the first field that was refused, so that keyboards and screen readers keep up. */
function moveFocus(surface: HTMLElement, before: string, shown: string, mode: "modal" | "inline"): void {
  // An inline widget that loads must not take the focus from the page.
  // Nor may one that corrects an answer be taken from it.
  if (before === shown || before === shown + REFUSED || (before === "loading" && mode === "inline")) return;
  const target =
    surface.querySelector<HTMLElement>("[aria-invalid=true]") ?? surface.querySelector<HTMLElement>("[data-focus]");
  target?.focus();
}

/** Constructable sheets only, so that a page's `style-src 'self'` is enough. */
function build(root: ShadowRoot, mode: "modal" | "inline"): HTMLElement {
  const document = root.ownerDocument;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  const frame = document.createElement("div");
  frame.className = `root ${mode}`;
  const surface = document.createElement(mode === "modal" ? "dialog" : "section");
  surface.className = "surface";
  surface.setAttribute("part", "surface");
  surface.setAttribute("aria-labelledby", "title");
  frame.append(surface);
  root.replaceChildren(frame);
  return surface;
}

/** @returns a function that gives the page its scrolling back */
function showModal(dialog: HTMLDialogElement, controller: Controller, close: () => void, end: () => void): () => void {
  const document = dialog.ownerDocument;
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  // Browsers close on a second Esc whatever a listener says: that is the truth then.
  dialog.addEventListener("close", end);
  dialog.addEventListener("click", (event) => {
    const { name } = controller.state().screen;
    const busy = name === "parameters" || name === "waiting" || name === "finishing";
    if (event.target === dialog && !busy) close();
  });
  // The page behind a modal still scrolls unless told not to; a sheet can be taken away without a trace.
  const lock = new CSSStyleSheet();
  const { documentElement: page } = document;
  const before = page.clientWidth;
  lock.replaceSync("html{overflow:hidden}");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, lock];
  // The room of a scroll bar that went stays free, or the page would move.
  lock.replaceSync(`html{overflow:hidden;padding-right:${page.clientWidth - before}px}`);
  dialog.showModal();
  moveFocus(dialog, "", "loading", "modal");
  return () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== lock);
  };
}

function readPreset(options: ConnectOptions, host: Window): Preset {
  const wished = options.authorizationDisplay ?? "auto";
  const redirects = wished === "redirect" || (wished !== "popup" && !hasPopups(host.navigator.userAgent));
  return {
    provider: options.provider ?? null,
    parameters: options.parameters ?? null,
    connectionId: options.connectionId ?? null,
    intent: options.intent ?? "connect",
    display: redirects ? "redirect" : "popup",
  };
}

function readState(controller: Controller): ConnectHandle["state"] {
  const { name } = controller.state().screen;
  if (name === "loading") return "loading";
  return name === "waiting" || name === "finishing" ? "busy" : "open";
}
