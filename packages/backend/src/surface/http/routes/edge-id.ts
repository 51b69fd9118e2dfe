import { AppError, decodeId, type EdgeIds, type ErrorCode, type IdPrefix } from "@patchbay/shared";

/**
 * The id behind an edge form. What is malformed is answered like what does not exist, so that neither tells anything.
 *
 * @throws AppError with `code`
 */
export function edgeId<P extends IdPrefix>(prefix: P, text: string, code: ErrorCode): EdgeIds[P] {
  const id = decodeId(prefix, text);
  if (id === null) throw new AppError(code, NOT_FOUND[prefix] ?? "nothing with this id in this workspace");
  return id;
}

const NOT_FOUND: Partial<Record<IdPrefix, string>> = {
  conn: "no connection with this id in this workspace",
  run: "no run with this id in this workspace",
  evt: "no event with this id in this workspace",
  we: "no webhook endpoint with this id in this workspace",
  dlv: "no delivery with this id in this workspace",
  inb: "no inbox item with this id in this workspace",
  drp: "no replay of deliveries with this id in this workspace",
  irp: "no replay of the inbox with this id in this workspace",
  src: "no webhook address with this id in this workspace",
  era: "no erasure with this id in this workspace",
  key: "no API key with this id in this workspace",
  ws: "no such workspace",
  auth: "no such authorization",
};
