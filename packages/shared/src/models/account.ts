import { z } from "zod";
import { type BaseRecord, baseRecordShape, type RemoteFacts, remoteFactsShape } from "./base.ts";
import { currencyCode, text } from "./shapes.ts";

/** Whom the tenant connected: the provider's account itself. */
export interface AccountFields {
  readonly name: string | null;
  /** The account's public site. */
  readonly url: string | null;
  /** Where the provider reaches the owner. */
  readonly email: string | null;
  /** ISO 4217. */
  readonly defaultCurrency: string | null;
  /** IANA name, such as `Europe/Berlin`. */
  readonly timezone: string | null;
  /** The provider's name of what the account pays for. */
  readonly plan: string | null;
}

export interface NormalizedAccount extends RemoteFacts, AccountFields {}
export interface Account extends BaseRecord, AccountFields {
  readonly object: "account";
}

const fields = {
  name: text,
  url: text,
  email: text,
  defaultCurrency: currencyCode.nullable(),
  timezone: text,
  plan: text,
};

export const NormalizedAccount: z.ZodType<NormalizedAccount> = z.strictObject({ ...remoteFactsShape, ...fields });
export const Account: z.ZodType<Account> = z
  .strictObject({ ...baseRecordShape, ...fields, object: z.literal("account") })
  .meta({ id: "Account" });
