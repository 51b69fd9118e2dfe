import { encodeUuid, type SourceId, type WorkspaceId } from "@patchbay/shared";
import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createIngestWorld, type IngestWorld } from "../../../../../../test/harness/ingest-world.ts";
import { instantOfId } from "../../../platform/runtime/index.ts";
import { createSource } from "../sources/create-source.ts";
import { encodeSource } from "../sources/source-path.ts";

let world: IngestWorld;
let source: { readonly workspaceId: WorkspaceId; readonly sourceId: SourceId; readonly shop: string };

beforeAll(async () => {
  world = await createIngestWorld({ orders: 5, products: 12, customers: 5 });
  const connection = await world.connect();
  const sourceId = await world.deps.app.withWorkspace(connection.workspaceId, (tx) =>
    createSource(tx, { ...connection, now: new Date() }),
  );
  source = { workspaceId: connection.workspaceId, sourceId, shop: connection.shop };
});
afterAll(() => world.close());

describe("accept", () => {
  test("what was answered is stored, byte for byte, and waits for the router", async () => {
    const body = `{"id":820982911946154508, "note":"café"}`;
    const receivedAt = new Date();
    await expect(deliver(body, { receivedAt })).resolves.toBe("accepted");
    const [row] =
      await world.sql`select id, received_at, body_bytes, secret_index from inbox where workspace_id = ${source.workspaceId}
                                  order by received_at desc limit 1`;
    expect(row).toMatchObject({ body_bytes: Buffer.byteLength(body), secret_index: 0, received_at: receivedAt });
    expect(instantOfId(row?.["id"])).toEqual(receivedAt);
    const ref = { workspaceId: source.workspaceId, inboxId: row?.["id"] };
    const raw = await world.ingest.getInboxRaw(ref);
    expect(Buffer.from(raw.body, "base64").toString()).toBe(body);
    const item = await world.ingest.getInboxItem(ref);
    expect(item).toMatchObject({ status: "received", provider: "shopify", elements: [] });
    expect(item.bodySha256).toBe(createHash("sha256").update(body).digest("hex"));
    const arrivals = await world.sql`select 1 from queue.arrivals where id = ${row?.["id"]}`;
    expect(arrivals).toHaveLength(1);
  });

  test("keeps the headers that the connector names and no others", async () => {
    await deliver("{}", { headers: { cookie: "session=1", "x-forwarded-for": "192.0.2.1" } });
    const [row] = await world.sql`select headers from inbox where workspace_id = ${source.workspaceId}
                                  order by received_at desc limit 1`;
    expect(Object.keys(row?.["headers"]).sort()).toEqual([
      "content-type",
      "x-shopify-api-version",
      "x-shopify-hmac-sha256",
      "x-shopify-shop-domain",
      "x-shopify-topic",
      "x-shopify-webhook-id",
    ]);
  });

  test.each([
    ["another body", { "x-shopify-hmac-sha256": "5A3oQQfW+WMeNQwhapvpG0xvKI5Ip4Bp9W/9ifwwyGk=" }],
    ["a signature that is none", { "x-shopify-hmac-sha256": "yes" }],
    ["an empty signature", { "x-shopify-hmac-sha256": "" }],
    ["a second, unsigned header", { "shopify-hmac-sha256": "AAAA" }],
  ])("refuses the signature of %s with 401 and stores nothing", async (_of, headers) => {
    const before = await countInbox();
    await expect(deliver("{}", { headers })).rejects.toMatchObject({ code: "invalid_signature", status: 401 });
    expect(await countInbox()).toBe(before);
  });

  test("refuses a delivery without a signature", async () => {
    const delivery = {
      ...source,
      provider: "shopify",
      headers: {},
      rawBody: Buffer.from("{}"),
      receivedAt: new Date(),
    };
    await expect(world.ingest.accept(delivery)).rejects.toMatchObject({ code: "invalid_signature" });
  });

  test("takes what is no JSON, or no shape we know: it is kept for people to look at", async () => {
    await expect(deliver("this is no JSON")).resolves.toBe("accepted");
    await expect(deliver("[[[]]]")).resolves.toBe("accepted");
  });

  test("knows no source of another workspace, of no workspace, or of another provider", async () => {
    const other = await world.connect({ shop: "maison-lumiere.myshopify.com" });
    for (const changed of [
      { workspaceId: other.workspaceId },
      { workspaceId: randomUUID() as WorkspaceId },
      { sourceId: randomUUID() as SourceId },
      { provider: "nobody" },
    ]) {
      await expect(deliver("{}", changed)).rejects.toMatchObject({ code: "not_found" });
    }
  });

  test("refuses more than 5 MiB with 413", async () => {
    const body = "x".repeat(5 * 1024 * 1024 + 1);
    await expect(deliver(body)).rejects.toMatchObject({ code: "payload_too_large", status: 413 });
  });

  test("accepts the previous secret while it is in its overlap", async () => {
    const path = encodeSource(source);
    expect(path).toBe(`src_${encodeUuid(source.sourceId)}_${encodeUuid(source.workspaceId)}`);
    // The sandbox signs with the app's secret; the rotation leaves it the previous one.
    await world.rotateSecret(source.workspaceId);
    const [row] =
      await world.sql`select previous_secret_until from provider_apps where workspace_id = ${source.workspaceId}`;
    expect(row?.["previous_secret_until"]).toBeInstanceOf(Date);
    const fresh = world.anotherIngest();
    const headers = world.signed("orders/create", source.shop, "{}");
    await fresh.accept({ ...source, provider: "shopify", headers, rawBody: Buffer.from("{}"), receivedAt: new Date() });
    const [stored] = await world.sql`select secret_index from inbox where workspace_id = ${source.workspaceId}
                                     order by received_at desc limit 1`;
    expect(stored?.["secret_index"]).toBe(1);
  });
});

function deliver(
  body: string,
  changed: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly workspaceId?: WorkspaceId;
    readonly sourceId?: SourceId;
    readonly provider?: string;
    readonly receivedAt?: Date;
  } = {},
) {
  const headers = { ...world.signed("orders/create", source.shop, body), ...changed.headers };
  const base = { ...source, provider: "shopify", rawBody: Buffer.from(body), receivedAt: new Date() };
  return world.ingest.accept({ ...base, ...changed, headers });
}

async function countInbox(): Promise<number> {
  const [row] = await world.sql`select count(*)::int as count from inbox`;
  return row?.["count"];
}
