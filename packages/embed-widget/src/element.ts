import type { Appearance } from "./appearance.ts";
import type { Messages } from "./i18n/en.ts";
import { mount, type Widget } from "./mount.tsx";
import { takeRemembered, takeReturn } from "./return-address.ts";
import type { ConnectEvent, ConnectHandle, ConnectOptions } from "./types.ts";

export const DEFAULT_TAG = "patchbay-connect";

/**
 * `<patchbay-connect>`. Attributes are plain words: `mode`, `provider`, `theme`, `locale`, `api-base`, `intent`,
 * `connection-id`, `authorization-display`. What a page must not leak or cannot spell is a property.
 *
 * Inline elements start when they are in the page and know {@link fetchSessionToken}; modal ones when opened.
 * Events: `patchbay:<type>` with the details of `ConnectEventMap`.
 */
export interface PatchbayConnectElement extends HTMLElement {
  fetchSessionToken: ConnectOptions["fetchSessionToken"] | null;
  appearance: Appearance | null;
  messages: Partial<Messages> | null;
  parameters: Readonly<Record<string, string>> | null;
  readonly state: ConnectHandle["state"];
  /** Starts now, with options over what attributes and properties say. */
  open(options?: Partial<ConnectOptions>, start?: { readonly openWindowAtOnce: boolean }): void;
  update(look: Pick<ConnectOptions, "locale" | "messages" | "theme" | "appearance">): void;
  close(): void;
}

/**
 * Registers the element. Safe to call twice, and where there is no DOM.
 *
 * @param scriptUrl where the script came from: the backend, unless `api-base` says otherwise
 */
export function defineElement(tag: string, scriptUrl: string): void {
  if (typeof customElements === "undefined" || customElements.get(tag) !== undefined) return;
  customElements.define(tag, createElementClass(scriptUrl));
}

/** A class of its own for every tag, as browsers demand. */
function createElementClass(scriptUrl: string): CustomElementConstructor {
  return class extends HTMLElement implements PatchbayConnectElement {
    static readonly observedAttributes = ["theme", "locale"];

    #widget: Widget | null = null;
    #fetchSessionToken: ConnectOptions["fetchSessionToken"] | null = null;
    #appearance: Appearance | null = null;
    messages: Partial<Messages> | null = null;
    parameters: Readonly<Record<string, string>> | null = null;

    get fetchSessionToken(): ConnectOptions["fetchSessionToken"] | null {
      return this.#fetchSessionToken;
    }
    set fetchSessionToken(fetchSessionToken: ConnectOptions["fetchSessionToken"] | null) {
      this.#fetchSessionToken = fetchSessionToken;
      this.#startInline();
    }

    get appearance(): Appearance | null {
      return this.#appearance;
    }
    set appearance(appearance: Appearance | null) {
      this.#appearance = appearance;
      this.#widget?.update({ appearance: appearance ?? {} });
    }

    get state(): ConnectHandle["state"] {
      return this.#widget?.state() ?? "closed";
    }

    connectedCallback(): void {
      this.#takeEarlyProperties();
      this.#startInline();
    }

    disconnectedCallback(): void {
      // A move disconnects and connects in one task: the widget lives on.
      queueMicrotask(() => {
        if (!this.isConnected) this.#widget?.destroy();
      });
    }

    attributeChangedCallback(name: string, before: string | null, value: string | null): void {
      if (before === value) return;
      this.#widget?.update({ [name]: value ?? undefined });
    }

    open(options: Partial<ConnectOptions> = {}, start = { openWindowAtOnce: false }): void {
      if (this.#widget !== null) return;
      const merged = { ...this.#readOptions(), ...options };
      const { fetchSessionToken } = merged;
      if (fetchSessionToken === undefined) throw new TypeError("fetchSessionToken is missing");
      const apiBase = merged.apiBase ?? new URL(scriptUrl).origin;

      this.#widget = mount({
        root: this.shadowRoot ?? this.attachShadow({ mode: "open" }),
        options: { ...merged, fetchSessionToken },
        mode: merged.mode ?? "modal",
        apiBase: apiBase.replace(/\/+$/, ""),
        resumption: takeReturn(window) ?? takeRemembered(window),
        openWindowAtOnce: start.openWindowAtOnce,
        emit: (event) => this.#emit(event),
        onClosed: () => (this.#widget = null),
      });
    }

    update(look: Pick<ConnectOptions, "locale" | "messages" | "theme" | "appearance">): void {
      this.#widget?.update(look);
    }

    close(): void {
      this.#widget?.close();
    }

    #startInline(): void {
      const inline = this.getAttribute("mode") !== "modal";
      if (inline && this.isConnected && this.#fetchSessionToken !== null && this.#widget === null) this.open();
    }

    #readOptions(): Partial<ConnectOptions> {
      // `connection-id` → `connectionId`; what a word means is checked where it is used.
      const words = Array.from(this.attributes, ({ name, value }) => [
        name.replace(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase()),
        value,
      ]);
      const mode = this.getAttribute("mode") === "modal" ? "modal" : "inline";
      const { fetchSessionToken, appearance, messages, parameters } = this;
      const set = Object.entries({ fetchSessionToken, appearance, messages, parameters, mode });
      return Object.fromEntries([...words, ...set.filter(([, value]) => value !== null)]);
    }

    /** Properties that a framework set before the element was defined hide the accessors of the class. */
    #takeEarlyProperties(): void {
      for (const name of ["fetchSessionToken", "appearance"] as const) {
        if (!Object.hasOwn(this, name)) continue;
        const early: object = { [name]: this[name] };
        delete this[name];
        Object.assign(this, early);
      }
    }

    #emit({ type, detail }: ConnectEvent): void {
      this.dispatchEvent(new CustomEvent(`patchbay:${type}`, { detail, bubbles: false, composed: true }));
    }
  };
}
