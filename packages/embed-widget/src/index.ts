/**
 * The connect widget as a module. Importing it touches no page and needs none.
 *
 * @module
 */
import { createPatchbayConnect } from "./open.ts";

const widget = createPatchbayConnect(() => import.meta.url);

export const { open, connect, resume, preload, define } = widget;

export type { Appearance, AppearanceVariable } from "./appearance.ts";
export type { PatchbayConnectElement } from "./element.ts";
export type { MessageKey, Messages } from "./i18n/en.ts";
export type { PatchbayConnect } from "./open.ts";
export {
  ConnectClosedError,
  type ConnectError,
  type ConnectErrorCode,
  type ConnectEventMap,
  type ConnectHandle,
  type ConnectOptions,
  type Connection,
  type ProviderId,
  type TokenReason,
} from "./types.ts";
