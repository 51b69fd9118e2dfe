import { z } from "zod";
import { startFakeService, type FakeAnswer } from "./fake-service.ts";

const Input = z.object({
  KeyId: z.string(),
  Plaintext: z.base64().optional(),
  CiphertextBlob: z.base64().optional(),
  EncryptionContext: z.record(z.string(), z.string()).default({}),
});

/** Speaks AWS JSON 1.1 as KMS does, so that the real SDK talks to it. A version is a key's ARN. */
export function startFakeAwsKms() {
  return startFakeService(({ headers, body }, versions) => {
    const target = headers["x-amz-target"];
    if (headers["content-type"] !== "application/x-amz-json-1.1") return refuse("SerializationException");
    if (!headers.authorization?.startsWith("AWS4-HMAC-SHA256 ")) return refuse("MissingAuthenticationToken");
    const { KeyId, Plaintext, CiphertextBlob, EncryptionContext } = Input.parse(JSON.parse(body));
    const context = Buffer.from(
      JSON.stringify(Object.entries(EncryptionContext).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    );
    if (versions.isDisabled(KeyId)) return refuse("DisabledException");
    if (target === "TrentService.Encrypt" && Plaintext !== undefined) {
      const sealed = versions.seal(KeyId, Buffer.from(Plaintext, "base64"), context);
      const blob = Buffer.concat([Buffer.from(`${KeyId}\n`), sealed]);
      return {
        status: 200,
        body: { KeyId, CiphertextBlob: blob.toString("base64"), EncryptionAlgorithm: "SYMMETRIC_DEFAULT" },
      };
    }
    if (target !== "TrentService.Decrypt" || CiphertextBlob === undefined) return refuse("UnknownOperationException");
    const blob = Buffer.from(CiphertextBlob, "base64");
    const line = blob.indexOf("\n");
    if (line < 0) return refuse("InvalidCiphertextException");
    if (blob.subarray(0, line).toString() !== KeyId) return refuse("IncorrectKeyException");
    const plain = versions.open(KeyId, blob.subarray(line + 1), context);
    if (plain === null) return refuse("InvalidCiphertextException");
    return {
      status: 200,
      body: { KeyId, Plaintext: plain.toString("base64"), EncryptionAlgorithm: "SYMMETRIC_DEFAULT" },
    };
  }, refuse("AccessDeniedException"));
}

function refuse(type: string): FakeAnswer {
  return { status: 400, body: { __type: type, message: "a secret word of the service" } };
}
