import { AppError } from "@patchbay/shared";
import { X509Certificate, createPrivateKey } from "node:crypto";

/**
 * When a client certificate ends. The first of a chain is the client's own.
 *
 * @throws AppError `invalid_credentials` when certificate or key cannot be read, do not belong together, or it has ended
 */
export function checkCertificate(
  given: { readonly certificate: string; readonly privateKey: string },
  now: Date,
): Date {
  const certificate = parse("certificate", () => new X509Certificate(given.certificate));
  const key = parse("privateKey", () => createPrivateKey(given.privateKey));
  if (!certificate.checkPrivateKey(key)) throw refused("privateKey", "is not the key of the certificate");
  if (certificate.validToDate <= now) throw refused("certificate", "has ended; have a new one issued");
  return certificate.validToDate;
}

/** What OpenSSL says may quote what it read, so it is not passed on. */
function parse<Value>(field: string, read: () => Value): Value {
  try {
    return read();
  } catch {
    throw refused(field, "is no PEM that can be read; send it unencrypted, with its BEGIN and END lines");
  }
}

function refused(field: string, what: string): AppError {
  return new AppError("invalid_credentials", `${field} ${what}`, { errors: [{ path: field, message: what }] });
}
