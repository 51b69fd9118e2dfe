import type { Resource } from "../../connectors/kit/index.ts";
import { projectItems, type AppliedObject, type RecordOwner, type RejectedItem } from "../../domain/records/index.ts";
import type { ConnectionRow } from "../../domain/connections/index.ts";

/** Projects items and leaves out children of models that the connection was not made for. */
export function projectModels(
  resource: Resource,
  items: readonly unknown[],
  owner: RecordOwner,
  models: ConnectionRow["models"],
): { readonly objects: readonly AppliedObject[]; readonly rejected: readonly RejectedItem[] } {
  const { objects, rejected } = projectItems(resource, items, owner);
  const kept = objects.map((object) => ({
    ...object,
    // The first is the object itself, of which the others are children.
    records: object.records.filter((record, index) => index === 0 || models.includes(record.model)),
  }));
  return { objects: kept, rejected };
}
