/** The product cannot start, for a reason that the operator can mend; the message is one sentence for them. */
export class PatchbayStartError extends Error {
  override readonly name = "PatchbayStartError";
}
