import type { Connector } from "./kit/index.ts";
import { shopify } from "./shopify/index.ts";

/** The only list of providers. */
export const connectors: readonly Connector[] = [shopify];

export function connectorById(id: string): Connector | null {
  return connectors.find((connector) => connector.id === id) ?? null;
}
