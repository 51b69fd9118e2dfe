import { AppError, type SourceId, type WorkspaceId } from "@patchbay/shared";
import { createHash } from "node:crypto";
import {
  signatureHeaders,
  verifySignature,
  type SignatureProblem,
  type SignatureScheme,
} from "../../../connectors/kit/index.ts";
import type { Place } from "../../../domain/vault/index.ts";
import { NIL_UUID } from "../../../platform/db/index.ts";
import type { IngestDeps } from "../deps.ts";
import type { FindSource } from "../sources/source-cache.ts";
import { sourceUrl } from "../sources/source-path.ts";
import type { Admission } from "./admission.ts";
import { inboxIdAt } from "./inbox-id.ts";
import type { InboxPort } from "./inbox-port.ts";

/** Of one delivery. */
export const BODY_BYTES_MAX = 5 * 1024 * 1024;

export interface Delivery {
  readonly workspaceId: WorkspaceId;
  readonly sourceId: SourceId;
  /** As in the path. */
  readonly provider: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: Uint8Array;
  readonly receivedAt: Date;
}

export interface AcceptDeps extends Pick<IngestDeps, "vault" | "connectorById" | "publicUrl"> {
  readonly findSource: FindSource;
  readonly inbox: Pick<InboxPort, "append">;
}

/**
 * Before a body is read: whether anything receives at the address, and whether there is room for so many bytes.
 *
 * @returns how to give the room back, when the delivery is stored or refused
 * @throws AppError `not_found`, `overloaded`
 */
export async function admit(
  deps: Pick<AcceptDeps, "findSource"> & { readonly admission: Admission },
  input: Pick<Delivery, "workspaceId" | "sourceId" | "provider"> & { readonly bytes: number | null },
): Promise<() => void> {
  const source = await deps.findSource(input);
  if (source === null || source.provider !== input.provider) throw nothingReceives();
  return deps.admission.enter(source.id, Math.min(input.bytes ?? BODY_BYTES_MAX, BODY_BYTES_MAX));
}

/**
 * Takes a provider's delivery in: what it resolved is stored for good. Only size and signature are refused; what the
 * body says is read later.
 *
 * @throws AppError `payload_too_large`, `not_found`, `invalid_signature`, `overloaded`
 */
export async function accept(deps: AcceptDeps, delivery: Delivery): Promise<"accepted"> {
  const { rawBody, receivedAt, workspaceId, sourceId } = delivery;
  if (rawBody.length > BODY_BYTES_MAX) {
    throw new AppError("payload_too_large", `a delivery may have ${BODY_BYTES_MAX} bytes at most`);
  }
  const source = await deps.findSource(delivery);
  const webhooks = deps.connectorById(delivery.provider)?.webhooks ?? null;
  if (source === null || webhooks === null || source.provider !== delivery.provider) {
    throw nothingReceives();
  }
  const check = verifySignature(
    webhooks.signature,
    source.secrets.map((secret) => secret.reveal()),
    { ...delivery, method: "POST", url: sourceUrl(deps.publicUrl, delivery.provider, delivery) },
  );
  if ("problem" in check) throw new AppError("invalid_signature", REFUSALS[check.problem]);

  const id = inboxIdAt(receivedAt);
  const scope = `${sourceId}:${receivedAt.toISOString().slice(0, 10)}`;
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose: "raw", scope });
  await deps.inbox.append({
    workspaceId,
    id,
    receivedAt,
    sourceId,
    provider: source.provider,
    headers: keptHeaders(webhooks, delivery.headers),
    body: sealer.seal(inboxPlace(id), rawBody),
    bodyKeyId: sealer.keyId,
    bodyBytes: rawBody.length,
    bodySha256: createHash("sha256").update(rawBody).digest(),
    secretIndex: check.secretIndex,
  });
  return "accepted";
}

function nothingReceives(): AppError {
  return new AppError("not_found", "no such webhook address");
}

const REFUSALS: Readonly<Record<SignatureProblem, string>> = {
  missing_signature: "the delivery is not signed as this provider signs",
  bad_signature: "the signature does not fit the delivery",
  stale_signature: "the signature is too old or too far ahead of our clock",
};

/** What a stored body is bound to. */
export function inboxPlace(id: string): Place {
  return { table: "inbox", rowId: id, column: "body", rowVersion: 1 };
}

const HEADER_LENGTH_MAX = 1_024;
const CONTENT_TYPE = ["content-type"];

/** Nothing but what the connector names is kept: no cookies, no addresses of people. */
function keptHeaders(
  webhooks: { readonly keepHeaders: readonly string[]; readonly signature: SignatureScheme },
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const names of [CONTENT_TYPE, signatureHeaders(webhooks.signature), webhooks.keepHeaders]) {
    for (const name of names) {
      const value = headers[name];
      if (value !== undefined) kept[name] = value.slice(0, HEADER_LENGTH_MAX);
    }
  }
  return kept;
}
