import { z } from "zod";
import { startFakeService, type FakeAnswer } from "./fake-service.ts";

const Input = z.object({
  plaintext: z.base64().optional(),
  ciphertext: z.string().optional(),
  associated_data: z.base64().default(""),
  key_version: z.int().optional(),
});

export const FAKE_VAULT_TOKEN = "hvs.of-the-fake";

/** Speaks as the transit engine at `transit/` with the one key `patchbay`. A version is a number. */
export function startFakeVault() {
  return startFakeService(
    ({ url, headers, body }, versions) => {
      if (headers["x-vault-token"] !== FAKE_VAULT_TOKEN) return refuse(403, "permission denied");
      const latest = Number(versions.newest());
      if (url === "/v1/transit/keys/patchbay") {
        return told({ latest_version: latest, min_decryption_version: 1, type: "aes256-gcm96", derived: false });
      }
      const { plaintext, ciphertext, associated_data, key_version = latest } = Input.parse(JSON.parse(body));
      const context = Buffer.from(associated_data, "base64");
      if (url === "/v1/transit/encrypt/patchbay" && plaintext !== undefined) {
        if (versions.isDisabled(String(key_version))) return refuse(400, "encryption key not found");
        const sealed = versions.seal(String(key_version), Buffer.from(plaintext, "base64"), context);
        return told({ ciphertext: `vault:v${key_version}:${sealed.toString("base64")}`, key_version });
      }
      if (url !== "/v1/transit/decrypt/patchbay") return refuse(404, "no handler for route");
      const [, version = "", sealed = ""] = /^vault:v(\d+):([\w+/=]+)$/.exec(ciphertext ?? "") ?? [];
      if (version === "") return refuse(400, "invalid ciphertext: no prefix");
      if (versions.isDisabled(version)) {
        return refuse(400, "ciphertext or signature version is disallowed by policy (too old)");
      }
      const plain = versions.open(version, Buffer.from(sealed, "base64"), context);
      return plain === null
        ? refuse(500, "cipher: message authentication failed")
        : told({ plaintext: plain.toString("base64") });
    },
    refuse(403, "permission denied"),
  );
}

function told(data: unknown): FakeAnswer {
  return { status: 200, body: { data } };
}

function refuse(status: number, error: string): FakeAnswer {
  return { status, body: { errors: [`1 error occurred:\n\t* ${error}\n\n`, "a secret word of the service"] } };
}
