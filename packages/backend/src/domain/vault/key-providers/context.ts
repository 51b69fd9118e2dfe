import type { BoundContext } from "../key-provider.ts";
import { pae } from "../pae.ts";

/** A context as bytes, for services that take additional data; no two contexts read alike. */
export function contextBytes(context: BoundContext, version = ""): Uint8Array {
  const { v, deployment, use, workspaceId, keyId } = context;
  return pae(["pb.kek2", version, String(v), deployment, use, workspaceId, keyId]);
}
