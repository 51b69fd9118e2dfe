import { AppError, decodeUuid, encodeUuid, type WorkspaceId } from "@patchbay/shared";
import { z } from "zod";
import { jsonOrNull } from "../../platform/runtime/index.ts";

/** A place in a workspace's feed. A restore of the database raises the epoch: older places mean nothing then. */
export interface FeedPlace {
  readonly epoch: number;
  readonly position: number;
}

/** Opaque to callers. The workspace inside is a hint only: what counts is the caller's key. */
export function encodeFeedCursor(workspaceId: WorkspaceId, place: FeedPlace): string {
  return encode([encodeUuid(workspaceId), place.epoch, place.position]);
}

/** @throws AppError `invalid_cursor` */
export function decodeFeedCursor(workspaceId: WorkspaceId, text: string): FeedPlace {
  const [workspace, epoch, position] = decode(FeedCursor, text);
  if (decodeUuid(workspace) !== workspaceId) throw invalidCursor("this cursor belongs to another workspace");
  return { epoch, position };
}

/** Behind the row with this id, in a list that is ordered by id. */
export function encodeListCursor(workspaceId: WorkspaceId, id: string): string {
  return encode([encodeUuid(workspaceId), encodeUuid(id)]);
}

/** @returns the row's id. @throws AppError `invalid_cursor` */
export function decodeListCursor(workspaceId: WorkspaceId, text: string): string {
  const [workspace, suffix] = decode(ListCursor, text);
  const id = decodeUuid(suffix);
  if (id === null || decodeUuid(workspace) !== workspaceId) throw invalidCursor("this cursor is not one of this list");
  return id;
}

export function invalidCursor(message: string): AppError {
  return new AppError("invalid_cursor", message);
}

const count = z.int().min(0);
const FeedCursor = z.tuple([z.string(), count, count]);
const ListCursor = z.tuple([z.string(), z.string()]);

function encode(values: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url");
}

function decode<Cursor>(schema: z.ZodType<Cursor>, text: string): Cursor {
  const parsed = schema.safeParse(jsonOrNull(Buffer.from(text, "base64url").toString()));
  if (!parsed.success) throw invalidCursor("this is not a cursor that we gave; take `nextCursor` of a page as it is");
  return parsed.data;
}
