import { z } from "zod";
import { crc32c } from "../crc32c.ts";
import { startFakeService, type FakeAnswer } from "./fake-service.ts";

const checked = { additionalAuthenticatedData: z.base64(), additionalAuthenticatedDataCrc32c: z.string() };
const Encrypt = z.object({ plaintext: z.base64(), plaintextCrc32c: z.string(), ...checked });
const Decrypt = z.object({ ciphertext: z.base64(), ciphertextCrc32c: z.string(), ...checked });

export const FAKE_GCP_KEY = "projects/p/locations/europe/keyRings/r/cryptoKeys/k";

/** Speaks as the REST API of Cloud KMS, and as the token service of its credentials. A version is a resource name. */
export function startFakeGcpKms(damage: { answers: boolean }) {
  return startFakeService(
    ({ url, headers, body }, versions) => {
      if (url === "/token") {
        return {
          status: 200,
          body: {
            access_token: "of-the-fake",
            token_type: "Bearer",
            expires_in: 3600,
            issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
          },
        };
      }
      if (headers.authorization !== "Bearer of-the-fake") return refuse(401, "UNAUTHENTICATED");
      if (url === `/v1/${FAKE_GCP_KEY}`) return { status: 200, body: { primary: { name: versions.newest() } } };
      const version = url.replace(/^\/v1\//, "").replace(/:encrypt$/, "");
      if (url.endsWith(":encrypt")) {
        if (versions.isDisabled(version)) return refuse(400, "FAILED_PRECONDITION");
        const input = Encrypt.parse(JSON.parse(body));
        const [plain, context] = [decoded(input.plaintext), decoded(input.additionalAuthenticatedData)];
        const sealed = Buffer.concat([Buffer.from(`${version}\n`), versions.seal(version, plain, context)]);
        return {
          status: 200,
          body: {
            name: version,
            ciphertext: sealed.toString("base64"),
            ciphertextCrc32c: String(crc32c(sealed) + (damage.answers ? 1 : 0)),
            verifiedPlaintextCrc32c: String(crc32c(plain)) === input.plaintextCrc32c,
            verifiedAdditionalAuthenticatedDataCrc32c:
              String(crc32c(context)) === input.additionalAuthenticatedDataCrc32c,
          },
        };
      }
      if (url !== `/v1/${FAKE_GCP_KEY}:decrypt`) return refuse(404, "NOT_FOUND");
      const input = Decrypt.parse(JSON.parse(body));
      const blob = decoded(input.ciphertext);
      const line = blob.indexOf("\n");
      const name = blob.subarray(0, Math.max(line, 0)).toString();
      if (String(crc32c(blob)) !== input.ciphertextCrc32c || line < 0) return refuse(400, "INVALID_ARGUMENT");
      if (versions.isDisabled(name)) return refuse(400, "FAILED_PRECONDITION");
      const plain = versions.open(name, blob.subarray(line + 1), decoded(input.additionalAuthenticatedData));
      if (plain === null) return refuse(400, "INVALID_ARGUMENT");
      return {
        status: 200,
        body: {
          plaintext: plain.toString("base64"),
          plaintextCrc32c: String(crc32c(plain) + (damage.answers ? 1 : 0)),
        },
      };
    },
    refuse(403, "PERMISSION_DENIED"),
  );
}

function refuse(code: number, status: string): FakeAnswer {
  return { status: code, body: { error: { code, status, message: "a secret word of the service" } } };
}

function decoded(text: string): Buffer {
  return Buffer.from(text, "base64");
}
