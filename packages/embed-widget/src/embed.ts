/**
 * The connect widget as a script tag: defines `<patchbay-connect>`, offers `window.patchbay`, and works off what the
 * page pushed to `window.patchbayQueue` before this script was there.
 *
 * @module
 */
import { createPatchbayConnect, type PatchbayConnect } from "./open.ts";
import { ConnectClosedError, type ConnectHandle } from "./types.ts";

/** `["open", options, (handle) => …]`: a method's name, its arguments, and who wants what it answers. */
type Call = readonly [name: string, ...rest: readonly unknown[]];

declare global {
  interface Window {
    patchbay?: PatchbayConnect & { readonly ConnectClosedError: typeof ConnectClosedError };
    patchbayQueue?: { push(...calls: readonly Call[]): unknown } & Partial<Iterable<Call>>;
  }
}

// Only known while this script runs for the first time.
const script = document.currentScript;
const url = script instanceof HTMLScriptElement ? script.src : location.href;
const widget = createPatchbayConnect(() => url);

window.patchbay = { ...widget, ConnectClosedError };
widget.define();
workOff(window);

function workOff(host: Window): void {
  const waiting = Array.from(host.patchbayQueue?.[Symbol.iterator] ? (host.patchbayQueue as Iterable<Call>) : []);
  host.patchbayQueue = { push: (...calls) => calls.forEach(run) };
  waiting.forEach(run);
}

function run([name, ...rest]: Call): void {
  const [first, second] = rest as [never, never];
  let handle: ConnectHandle | null = null;
  if (name === "open" || name === "resume") handle = widget[name](first);
  else if (name === "connect") handle = widget.connect(first, second);
  else if (name === "define") widget.define(first);
  else if (name === "preload") void widget.preload(first);
  const receiver = rest.findLast((argument) => typeof argument === "function");
  receiver?.(handle);
}
