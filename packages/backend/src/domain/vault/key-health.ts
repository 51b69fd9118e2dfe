import type { Logger } from "../../platform/observability/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import { checkProvider } from "./check-provider.ts";
import { KeyProviderError, type KeyTrouble, type ProviderId } from "./key-provider.ts";
import type { Keys } from "./keys.ts";

/** For each configured provider, whether its keys can be used. */
export type KeyHealth = Readonly<Partial<Record<ProviderId, "ok" | KeyTrouble>>>;

/** An answer serves all who ask within this time: whoever may reach `/readyz` must not make us hammer a service. */
export const HEALTH_MS = 30_000;

/**
 * Asks each provider at most once per {@link HEALTH_MS}, all callers together. A provider that says no is heard by the
 * vault as well, which then forgets its keys.
 */
export function createKeyHealth(deps: { readonly keys: Keys; readonly clock: Clock }): () => Promise<KeyHealth> {
  const providers = [...new Set(deps.keys.versions.map((kek) => kek.provider))];
  let askAt = 0;
  let last: Promise<KeyHealth> = Promise.resolve({});
  return () => {
    const now = deps.clock.now().getTime();
    if (now < askAt) return last;
    askAt = now + HEALTH_MS;
    last = Promise.all(providers.map(async (id) => [id, await healthOf(deps.keys, id)] as const)).then(
      (pairs): KeyHealth => Object.fromEntries(pairs),
    );
    return last;
  };
}

/** Asks by the clock, so that a denial is heard by processes that need no key just now. */
export function watchKeyHealth(deps: {
  readonly health: () => Promise<KeyHealth>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): void {
  const ask = async () => {
    try {
      const keys = await deps.health();
      if (Object.values(keys).some((state) => state !== "ok"))
        deps.log.warn({ keys }, "key check: a provider is in trouble");
    } catch (error) {
      deps.log.error({ error }, "key check failed");
    }
  };
  const timer = setInterval(() => void ask(), WATCH_EVERY_MS);
  deps.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

const WATCH_EVERY_MS = 60_000;

async function healthOf(keys: Keys, provider: ProviderId): Promise<"ok" | KeyTrouble> {
  try {
    await checkProvider(keys, provider);
    return "ok";
  } catch (error) {
    if (error instanceof KeyProviderError) return error.trouble;
    throw error;
  }
}
