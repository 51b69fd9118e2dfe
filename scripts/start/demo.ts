import { ConfigError, parseConfig, prepareLocalFiles, startPatchbay, type Patchbay } from "@patchbay/backend";
import { startHostApp } from "@patchbay/example-host-app";
import { startSandbox } from "@patchbay/sandbox";
import { createServer } from "node:net";
import { join } from "node:path";
import { seed } from "./seed.ts";

export interface Demo {
  readonly apiUrl: string;
  readonly hostUrl: string;
  readonly sandboxUrl: string;
  readonly controlUrl: string;
  readonly consoleUrl: string;
  readonly shop: string;
  readonly apiKeyFile: string;
  readonly dataDir: string;
  close(): Promise<void>;
}

const SHOP = "acme-goods.myshopify.com";

/** Starts every part in the order in which they need each other, and stops them in reverse. */
export async function startDemo(input: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly say: (line: string) => void;
}): Promise<Demo> {
  const { say } = input;
  const config = demoConfig(input.env, input.cwd);
  await requireFreePorts([
    ["PATCHBAY_PORT", config.port],
    ["PATCHBAY_HOST_APP_PORT", config.hostAppPort],
    ["PATCHBAY_SANDBOX_PORT", config.sandboxPort],
  ]);
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closeOne of closers.splice(0).reverse()) await closeOne();
  };
  try {
    await prepareLocalFiles(config);
    say(config.database === null ? "starting the database in " + config.dataDir : "connecting to your database");
    const patchbay: Patchbay = await startPatchbay({ config, roles: { api: true, worker: true } });
    closers.push(() => patchbay.close());
    say("backend and worker are running");

    const sandbox = await startSandbox({
      port: config.sandboxPort,
      stateFile: join(config.dataDir, "sandbox.bin"),
    });
    closers.push(() => sandbox.close());
    say("sandbox stores are open");

    const demo = await seed({ patchbay, config, sandboxUrl: sandbox.url });
    const host = await startHostApp({ port: config.hostAppPort, patchbayUrl: patchbay.url, apiKey: demo.apiKey });
    closers.push(() => host.close());
    say("the example product is running");
    return {
      apiUrl: patchbay.url,
      hostUrl: host.url,
      sandboxUrl: sandbox.url,
      controlUrl: `${sandbox.url}/_shops/${SHOP}/control`,
      consoleUrl: patchbay.consoleLink(),
      shop: SHOP,
      apiKeyFile: demo.file,
      dataDir: config.dataDir,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The product's settings, with the sandbox and the example product let in beside what is set already. */
function demoConfig(env: Readonly<Record<string, string | undefined>>, cwd: string) {
  const config = parseConfig({ PATCHBAY_LOG_LEVEL: "warn", ...env }, cwd);
  return {
    ...config,
    sandboxOrigins: [...config.sandboxOrigins, `http://localhost:${config.sandboxPort}`],
    endpointOrigins: [...config.endpointOrigins, `http://localhost:${config.hostAppPort}`],
  };
}

async function requireFreePorts(ports: readonly (readonly [name: string, port: number])[]): Promise<void> {
  for (const [name, port] of ports) {
    if (!(await isFree(port))) {
      throw new ConfigError(
        `Port ${port} is in use by another program. Stop it, or choose another port: ${name}=${port + 100} npm start`,
      );
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
