import { z } from "zod";

/** The host's own id of its customer: 1–128 characters of letters, digits and `._:@-`, but not `.` or `..`, which no URL path reaches. */
export const tenantId = z
  .string()
  .regex(/^(?!\.{1,2}$)[A-Za-z0-9._:@-]{1,128}$/, "1 to 128 characters: letters, digits and . _ : @ -");

/** One end customer of the host. */
export interface Tenant {
  readonly id: string;
  readonly name: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly updatedAt: string;
}
export const Tenant: z.ZodType<Tenant> = z
  .strictObject({
    id: z.string(),
    name: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Tenant" });

/** Body of `PUT /v1/tenants/{id}`; what is left out keeps its value. */
export interface PutTenant {
  readonly name?: string | null | undefined;
  /** At most 20 keys of 1–40 characters, values up to 500. Replaces what was there. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}
export const PutTenant: z.ZodType<PutTenant> = z
  .strictObject({
    name: z.string().max(200).nullable().optional(),
    metadata: z
      .record(z.string().min(1).max(40), z.string().max(500))
      .refine((value) => Object.keys(value).length <= 20, "at most 20 keys")
      .optional(),
  })
  .meta({ id: "PutTenant" });
