import type { Resource } from "../../../connectors/kit/index.ts";
import type { ProviderFault } from "../../../connectors/kit/index.ts";
import type { AppliedObject, GoneObject, ReadInterval, RejectedItem } from "../../../domain/records/index.ts";
import type { LaneConnection } from "../lane-connection.ts";
import { projectModels } from "../project-models.ts";
import { type Call, readItems } from "../read-items.ts";

/** What a read by ids found. */
export type Chunk =
  | {
      readonly ok: true;
      readonly objects: readonly AppliedObject[];
      readonly rejected: readonly RejectedItem[];
      /** Asked for and not there. */
      readonly gone: readonly GoneObject[];
      readonly read: ReadInterval;
    }
  | { readonly ok: false; readonly fault: ProviderFault };

/** Reads objects by id, completes and projects them. */
export async function fetchChunk(
  call: Call,
  connection: LaneConnection,
  resource: Resource,
  remoteIds: readonly string[],
): Promise<Chunk> {
  const { batchRead } = resource;
  if (batchRead === null) throw new Error(`resource ${resource.name} cannot be read by id`);
  const read = await readItems(call, batchRead.request(remoteIds), (response) => batchRead.parse(response), {
    of: ({ item }) => batchRead.expansions(item),
    raw: ({ item }) => item,
    put: (entry, item) => ({ ...entry, item }),
  });
  if (!read.ok) return read;
  const present = new Set(read.items.map((entry) => entry.remoteId));
  const items = read.items.map((entry) => entry.item);
  return {
    ok: true,
    ...projectModels(resource, items, connection.owner, connection.row.models),
    gone: remoteIds
      .filter((remoteId) => !present.has(remoteId))
      .map((remoteId) => ({ model: resource.model, remoteId, resource: resource.name })),
    read: read.read,
  };
}
