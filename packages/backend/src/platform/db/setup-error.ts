export const POOLER_ADVICE =
  "This seems to be a pooler such as PgBouncer: set PATCHBAY_DATABASE_DIRECT_URL as well, to the address of the server itself.";

/** The server cannot hold the product as it is; the message is for the operator, with what to do. */
export class DatabaseSetupError extends Error {
  override readonly name = "DatabaseSetupError";
}
