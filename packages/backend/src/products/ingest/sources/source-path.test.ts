import type { SourceId, WorkspaceId } from "@patchbay/shared";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSource, encodeSource } from "./source-path.ts";

test("a path names its source and workspace, and nothing else does", () => {
  fc.assert(
    fc.property(fc.uuid(), fc.uuid(), (source, workspace) => {
      const ref = { sourceId: source as SourceId, workspaceId: workspace as WorkspaceId };
      expect(decodeSource(encodeSource(ref))).toEqual(ref);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => decodeSource(text) === null));
});

test.each([
  "",
  "src_",
  "src_01jdzzzzzzzzzzzzzzzzzzzzzz",
  "SRC_01jdzzzzzzzzzzzzzzzzzzzzzz_01jdzzzzzzzzzzzzzzzzzzzzzz",
  "src_81jdzzzzzzzzzzzzzzzzzzzzzz_01jdzzzzzzzzzzzzzzzzzzzzzz",
  "src_01jdzzzzzzzzzzzzzzzzzzzzzz_01jdzzzzzzzzzzzzzzzzzzzzzz_",
  "src_01jdzzzzzzzzzzzzzzzzzzzzz%_01jdzzzzzzzzzzzzzzzzzzzzzz",
])("%j is no source", (text) => expect(decodeSource(text)).toBeNull());
