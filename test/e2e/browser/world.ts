import { startHostApp, type HostApp } from "@patchbay/example-host-app";
import type { Patchbay } from "@patchbay/node";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { freePort } from "../../harness/free-port.ts";
import { startTestProduct, type TestProduct } from "../../harness/product.ts";
import { launchChromium } from "./chromium.ts";
import { type HostPage, startHostPages, type HostPages } from "./host-page.ts";
import { openVisitor, type Visitor } from "./visitor.ts";

/** The whole product, hosts that embed the widget, and a browser. */
export interface BrowserWorld {
  readonly product: TestProduct;
  readonly hostPages: HostPages;
  /** Another site than the backend's. */
  readonly sandboxOrigin: string;
  /** Another origin that endpoints may have: `http://localhost:<port>`. */
  readonly receiverPort: number;
  /** The example product with a workspace of its own. */
  startTideline(): Promise<HostApp & { readonly sdk: Patchbay }>;
  /** A host page with a workspace of its own. */
  addHostPage(page?: Partial<HostPage>): Promise<{ readonly url: string; readonly sdk: Patchbay }>;
  /** A person: a browser profile with one tab, empty. */
  visit(url: string, options?: BrowserContextOptions): Promise<Visitor>;
  close(): Promise<void>;
}

export const SHOP = "acme-goods.myshopify.com";
const APP = { clientId: "sandbox-app", clientSecret: "sandbox-secret-0001" };

export async function startBrowserWorld(): Promise<BrowserWorld> {
  const [sandboxPort, tidelinePort, receiverPort] = [await freePort(), await freePort(), await freePort()];
  const sandboxOrigin = `http://127.0.0.1:${sandboxPort}`;
  const product = await startTestProduct({
    sandbox: { port: sandboxPort },
    endpointOrigins: [`http://localhost:${tidelinePort}`, `http://localhost:${receiverPort}`],
    env: { PATCHBAY_SANDBOX_ORIGINS: `${sandboxOrigin},http://localhost:${sandboxPort}` },
  });
  const hostPages = await startHostPages(product.url);
  const browser: Browser = await launchChromium();
  const closers: (() => Promise<void>)[] = [() => product.close(), () => hostPages.close(), () => browser.close()];
  let pages = 0;

  const addWorkspace = async (
    name: string,
    returnUrls: readonly string[],
  ): Promise<{ sdk: Patchbay; apiKey: string }> => {
    const { sdk, apiKey } = await product.addWorkspace({ name, returnUrls });
    await sdk.providers.setApp("shopify", { ...APP, baseUrlOverride: `${sandboxOrigin}/_shops/{shop}` });
    return { sdk, apiKey };
  };

  return {
    product,
    hostPages,
    sandboxOrigin,
    receiverPort,
    async startTideline() {
      const url = `http://localhost:${tidelinePort}`;
      const { sdk, apiKey } = await addWorkspace("Tideline", [`${url}/`]);
      const app = await startHostApp({ port: tidelinePort, patchbayUrl: product.url, apiKey });
      closers.push(() => app.close());
      return { ...app, sdk };
    },
    async addHostPage(page = {}) {
      const name = `page-${(pages += 1)}`;
      const { sdk } = await addWorkspace("Tideline", [`${hostPages.origin}/${name}`]);
      await sdk.tenants.upsert({ id: "acme" });
      return { url: hostPages.add({ name, sdk, ...page }), sdk };
    },
    visit: (url, options) => openVisitor(browser, url, options),
    async close() {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}
