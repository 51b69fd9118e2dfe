import { DEFAULT_TAG, defineElement, type PatchbayConnectElement } from "./element.ts";
import { hasReturn } from "./return-address.ts";
import {
  ConnectClosedError,
  type ConnectEventMap,
  type ConnectHandle,
  type ConnectOptions,
  type Connection,
  type ProviderId,
} from "./types.ts";

/** What a page uses: the same for the npm package and the script tag. */
export interface PatchbayConnect {
  /** Opens the widget. Synchronous: safe to call in a click. */
  readonly open: (options: ConnectOptions) => ConnectHandle;
  /**
   * Opens the widget at one provider.
   *
   * With `options.parameters` (`{}` where the provider asks nothing) the provider's window opens in the same click.
   */
  readonly connect: (provider: ProviderId, options: ConnectOptions) => ConnectHandle;
  /** Goes on after redirect mode came back. @returns `null` when the address has no `pb_authorization` */
  readonly resume: (options: ConnectOptions) => ConnectHandle | null;
  /** Makes the first opening quicker; call it when idle, or on `pointerenter`. */
  readonly preload: (options?: { readonly apiBase?: string | undefined }) => Promise<void>;
  /** Registers the element under your own name. */
  readonly define: (tag?: string) => void;
}

/** @param scriptUrl where this script came from; asked only when used */
export function createPatchbayConnect(scriptUrl: () => string): PatchbayConnect {
  const define = (tag = DEFAULT_TAG): void => defineElement(tag, scriptUrl());
  const start = (options: ConnectOptions, openWindowAtOnce: boolean): ConnectHandle => {
    const tag = options.tag ?? DEFAULT_TAG;
    define(tag);
    return openIn(createElement(tag, options), options, openWindowAtOnce);
  };
  return {
    define,
    open: (options) => start(options, false),
    connect: (provider, options) => start({ ...options, provider }, options.parameters !== undefined),
    resume: (options) => (hasReturn(window) ? start(options, false) : null),
    async preload(options = {}) {
      define();
      preconnect(options.apiBase ?? scriptUrl());
    },
  };
}

function createElement(tag: string, options: ConnectOptions): PatchbayConnectElement {
  const { mode = "modal", container } = options;
  const element = document.createElement(tag) as PatchbayConnectElement;
  element.setAttribute("mode", mode);
  (container ?? document.body).append(element);
  return element;
}

function openIn(element: PatchbayConnectElement, options: ConnectOptions, openWindowAtOnce: boolean): ConnectHandle {
  const on = <K extends keyof ConnectEventMap>(
    type: K,
    listener: (detail: ConnectEventMap[K]) => void,
  ): (() => void) => {
    const receive = (event: Event): void => listener((event as CustomEvent<ConnectEventMap[K]>).detail);
    element.addEventListener(`patchbay:${type}`, receive);
    return () => element.removeEventListener(`patchbay:${type}`, receive);
  };

  const result = new Promise<Connection>((resolve, reject) => {
    on("connected", ({ connection }) => resolve(connection));
    on("reauthorized", ({ connection }) => resolve(connection));
    on("close", () => {
      element.remove();
      reject(new ConnectClosedError("closed before anything was connected"));
    });
  });
  // Whoever does not ask for the result must not get an unhandled rejection.
  result.catch(() => undefined);

  element.open({ ...options, mode: options.mode ?? "modal" }, { openWindowAtOnce });
  const close = (): void => element.close();
  if (options.signal?.aborted) close();
  options.signal?.addEventListener("abort", close, { once: true });

  return {
    get state() {
      return element.state;
    },
    update: (look) => element.update(look),
    on,
    close,
    destroy: () => element.remove(),
    result,
  };
}

function preconnect(href: string): void {
  const link = document.createElement("link");
  document.head.append(Object.assign(link, { rel: "preconnect", href, crossOrigin: "" }));
}
