import { startHostApp } from "./start-host-app.ts";

const { PATCHBAY_API_KEY: apiKey, PATCHBAY_URL: patchbayUrl = "http://localhost:4400", PUBLIC_URL } = process.env;
const port = Number(process.env["PORT"] ?? 4401);

if (!apiKey) {
  process.stderr.write("PATCHBAY_API_KEY is not set: make one with `patchbay api-keys create`.\n");
  process.exit(1);
}

const app = await startHostApp({
  port,
  patchbayUrl,
  apiKey,
  publicUrl: PUBLIC_URL,
  log: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(`Tideline runs at ${app.url}\n`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void app.close().then(() => process.exit(0)));
}
