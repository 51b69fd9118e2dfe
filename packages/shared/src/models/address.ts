import { z } from "zod";
import { text } from "./shapes.ts";

/** A postal address, as far as the provider knows it. */
export interface Address {
  readonly type: AddressType;
  readonly name: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly company: string | null;
  readonly line1: string | null;
  readonly line2: string | null;
  readonly city: string | null;
  /** State, province or county in words. */
  readonly region: string | null;
  /** Its code, such as `OR`. */
  readonly regionCode: string | null;
  readonly postalCode: string | null;
  readonly country: string | null;
  /** ISO 3166-1 alpha-2. */
  readonly countryCode: string | null;
  readonly phone: string | null;
}

export type AddressType = "billing" | "shipping" | "primary" | "other";

export const Address: z.ZodType<Address> = z
  .strictObject({
    type: z.enum(["billing", "shipping", "primary", "other"]),
    name: text,
    firstName: text,
    lastName: text,
    company: text,
    line1: text,
    line2: text,
    city: text,
    region: text,
    regionCode: text,
    postalCode: text,
    country: text,
    countryCode: text,
    phone: text,
  })
  .meta({ id: "Address" });
