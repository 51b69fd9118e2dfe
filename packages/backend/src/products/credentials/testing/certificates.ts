import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8 in PEM. */
  readonly privateKey: string;
}

export interface TestAuthority {
  /** PEM, to be trusted. */
  readonly root: string;
  /** A certificate for a subject, also good for `localhost`. */
  issue(name: string, options?: { readonly days?: number; readonly from?: Date }): IssuedCertificate;
}

const DAY_MS = 86_400_000;

/** A certificate authority of a test's own: X.509 v3 with ECDSA P-256, written by hand (RFC 5280). */
export function createAuthority(name = "Test authority"): TestAuthority {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const made = (subject: string, publicKey: KeyObject, extension: Buffer, from: Date, days: number) =>
    certificate({ subject, issuer: name, publicKey, signingKey: keys.privateKey, extension, from, days });
  return {
    root: made(name, keys.publicKey, IS_AUTHORITY, new Date(), 30),
    issue(subject, { days = 10, from = new Date() } = {}) {
      const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
      return {
        certificate: made(subject, own.publicKey, FOR_LOCALHOST, from, days),
        privateKey: own.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      };
    },
  };
}

function certificate(input: {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly extension: Buffer;
  readonly from: Date;
  readonly days: number;
}): string {
  const { from, days } = input;
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    nameOf(input.issuer),
    sequence(time(new Date(from.getTime() - DAY_MS)), time(new Date(from.getTime() + days * DAY_MS))),
    nameOf(input.subject),
    input.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(input.extension)),
  );
  const signature = sign("sha256", body, input.signingKey);
  const whole = sequence(body, ECDSA_WITH_SHA256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** `CN=text` */
function nameOf(text: string): Buffer {
  return sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(text)))));
}

/** GeneralizedTime. */
function time(at: Date): Buffer {
  return der(0x18, Buffer.from(`${at.toISOString().replaceAll(/[-:T]|\.\d+/g, "")}`));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, Math.floor(length / 0x100), length % 0x100];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const ECDSA_WITH_SHA256 = sequence(oid("2a8648ce3d040302"));
const IS_AUTHORITY = extension("551d13", true, sequence(der(0x01, Buffer.from([0xff]))));
const FOR_LOCALHOST = extension("551d11", false, sequence(der(0x82, Buffer.from("localhost"))));
