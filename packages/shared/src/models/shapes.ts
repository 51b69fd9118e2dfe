/** Zod shapes that several models use. */
import { z } from "zod";

/** RFC 3339 in UTC. */
export const instant = z.iso.datetime();
/** Minor units of the record's currency. */
export const minorUnits = z.int();
/** ISO 4217, upper case. */
export const currencyCode = z.string().regex(/^[A-Z0-9]{3,5}$/);
export const exponent = z.int().min(0).max(8);
export const text = z.string().nullable();
