import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

const FILES = { "app.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8" } as const;
type AssetName = keyof typeof FILES;

export interface Asset {
  readonly body: string;
  readonly type: string;
  /** With a hash of the content, so that browsers may keep it for ever. */
  readonly path: string;
}
export type Assets = Readonly<Record<AssetName, Asset>>;

export async function readAssets(): Promise<Assets> {
  return { "app.css": await readAsset("app.css"), "app.js": await readAsset("app.js") };
}

async function readAsset(name: AssetName): Promise<Asset> {
  const body = await readFile(new URL(`public/${name}`, import.meta.url), "utf8");
  const hash = createHash("sha256").update(body).digest("base64url").slice(0, 12);
  return { body, type: FILES[name], path: `/assets/${hash}/${name}` };
}
