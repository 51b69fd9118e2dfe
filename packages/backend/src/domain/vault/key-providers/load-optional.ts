import { VaultKeyError, type ProviderId } from "../key-provider.ts";

/**
 * A package that only this provider needs, so that nobody else must install it.
 *
 * @throws VaultKeyError that says how to install it
 */
export async function loadOptional<Module>(
  provider: ProviderId,
  name: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) throw error;
    throw new VaultKeyError(
      `The key provider ${provider} needs the package ${name}; install it with: pnpm --filter @patchbay/backend add ${name}`,
      { cause: error },
    );
  }
}
