import type { Config, Patchbay } from "@patchbay/backend";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The sandbox accepts this app without registration; it opens nothing but look-alike stores on this machine. */
const SANDBOX_APP = { clientId: "sandbox-app", clientSecret: "sandbox-secret-0001" };
const WORKSPACE_NAME = "Tideline";

export interface Seeded {
  readonly apiKey: string;
  /** Where the key is kept. */
  readonly file: string;
}

/** A test workspace for the example product, made on the first start and found again by its kept key. */
export async function seed(input: {
  readonly patchbay: Patchbay;
  readonly config: Config;
  readonly sandboxUrl: string;
}): Promise<Seeded> {
  const file = join(input.config.dataDir, "demo-api-key");
  const kept = (await readFile(file, "utf8").catch(() => "")).trim();
  if (kept !== "" && (await input.patchbay.authenticate(kept))) {
    await registerSandbox(input, kept);
    return { apiKey: kept, file };
  }
  const workspace = await input.patchbay.createWorkspace({
    name: WORKSPACE_NAME,
    mode: "test",
    returnUrls: [`http://localhost:${input.config.hostAppPort}/`],
  });
  const key = await input.patchbay.createApiKey(workspace.id, { name: "example product" });
  await writeFile(file, `${key.secret}\n`, { mode: 0o600 });
  await registerSandbox(input, key.secret);
  return { apiKey: key.secret, file };
}

async function registerSandbox(
  input: { readonly patchbay: Patchbay; readonly sandboxUrl: string },
  apiKey: string,
): Promise<void> {
  const response = await fetch(`${input.patchbay.url}/v1/providers/shopify/app`, {
    method: "PUT",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ ...SANDBOX_APP, baseUrlOverride: `${input.sandboxUrl}/_shops/{shop}` }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`the sandbox was not registered: ${response.status} ${await response.text()}`);
}
