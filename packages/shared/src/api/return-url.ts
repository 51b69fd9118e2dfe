import { z } from "zod";

/**
 * A page of the host, to which browsers are sent with a code in the query. Not `z.url()`, which takes any scheme and
 * tidies what it is given: this one is compared letter for letter.
 */
export const ReturnUrl = z
  .string()
  .max(2_000)
  .regex(/^https?:\/\/[^\s\\@/?#]+(?:[/?][^\s\\#]*)?$/, "must be an http(s) URL without user, fragment or blanks");
