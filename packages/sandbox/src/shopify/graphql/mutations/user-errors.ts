import { Refused } from "../../store.ts";

export interface UserError {
  readonly field: readonly string[] | null;
  readonly message: string;
  readonly code?: string;
}

export function userError(message: string, field: readonly string[] | null = null, code?: string): UserError {
  return code === undefined ? { field, message } : { field, message, code };
}

/** Runs an action; a refusal becomes a user error, as Shopify answers what a merchant may not do. */
export function attempt<T>(action: () => T): { readonly ok: T } | { readonly error: UserError } {
  try {
    return { ok: action() };
  } catch (error) {
    if (error instanceof Refused) return { error: userError(error.message) };
    throw error;
  }
}
