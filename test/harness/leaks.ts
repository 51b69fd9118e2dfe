/** Looks for secrets where none may be: in five encodings, at every place that they can have among other bytes. */

/** What a value looks like that only a credential has. */
const SHAPES: Readonly<Record<string, RegExp>> = {
  "a provider's token": /shp(?:at|rt|ca|ss|ua)_[A-Za-z0-9]{8,}/,
  "an endpoint's secret": /whsec_[A-Za-z0-9+/=_-]{8,}/,
  "an API key": /pb_(?:live|test)_[0-9a-z]{26}[0-9A-Za-z]{20,}/,
  "a session token": /cst_(?:live|test)_[0-9a-z]{26}[A-Za-z0-9_-]{20,}/,
  "a key file's line": /pbk1:[\w.-]+:[A-Za-z0-9+/]{43}=/,
  "a private key": /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  "a bearer header": /bearer [A-Za-z0-9_.~+/-]{20,}/i,
};

/** Takes log lines and keeps nothing of them but what must not be there. */
export interface LeakWatch {
  write(line: string): void;
  /** From now on looked for letter by letter, in every encoding. */
  plant(name: string, secret: string): void;
  /** What was found, without the secret itself. */
  leaks(): readonly string[];
}

const LEAKS_MAX = 20;

export function createLeakWatch(): LeakWatch {
  const forms: (readonly [string, string])[] = [];
  const found: string[] = [];
  return {
    write(line) {
      if (found.length >= LEAKS_MAX) return;
      for (const [what, shape] of Object.entries(SHAPES)) {
        if (shape.test(line)) found.push(`${what} in ${line.replaceAll(new RegExp(shape, "g"), "«…»").slice(0, 500)}`);
      }
      for (const [what, form] of forms) {
        if (line.includes(form)) found.push(`${what} in ${line.replaceAll(form, "«…»").slice(0, 500)}`);
      }
    },
    plant(name, secret) {
      forms.push(...formsOf(secret).map(([encoding, form]) => [`${name} in ${encoding}`, form] as const));
    },
    leaks: () => found,
  };
}

/** Encodings of a secret that a text holds. */
export function formsFoundIn(text: string, secret: string | Buffer): readonly string[] {
  return formsOf(secret)
    .filter(([, form]) => text.includes(form))
    .map(([name]) => name);
}

/** Clear, URL-encoded, hex, and base64 and base64url at each of the three places that they can have among other bytes. */
function formsOf(secret: string | Buffer): readonly (readonly [string, string])[] {
  const bytes = Buffer.from(secret);
  const forms: [string, string][] = [
    ["hex", bytes.toString("hex")],
    ["capital hex", bytes.toString("hex").toUpperCase()],
  ];
  if (typeof secret === "string") {
    forms.push(["clear", secret]);
    if (encodeURIComponent(secret) !== secret) forms.push(["URL encoding", encodeURIComponent(secret)]);
  }
  for (const shift of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    // Characters that bits of neighbours go into are left off.
    const core = whole.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
    forms.push(["base64", core], ["base64url", core.replaceAll("+", "-").replaceAll("/", "_")]);
  }
  return forms;
}
