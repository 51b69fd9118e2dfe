/** What every declared auth method must fulfil. Part of the conformance suite. */
import assert from "node:assert/strict";
import type { AuthMethod, CredentialField, Placement, TokenAuth } from "./auth.ts";
import { fieldsOf, placementsOf } from "./auth-methods.ts";
import type { Check } from "./conformance.ts";
import type { Connector, ConnectionParams } from "./connector.ts";

export function authChecks(connector: Connector): readonly Check[] {
  const { auth } = connector;
  return [
    {
      name: "it offers at least one way in, each under an id of its own",
      run() {
        assert.ok(auth.length > 0);
        assert.equal(new Set(auth.map(({ id }) => id)).size, auth.length);
        for (const { id, name } of auth) assert.ok(/^[a-z][a-z0-9_]{1,39}$/.test(id) && name !== "");
        assert.ok(auth.filter(({ kind }) => kind === "oauth2").length <= 1);
      },
    },
    ...auth.flatMap((method) => methodChecks(connector, method)),
  ];
}

function methodChecks(connector: Connector, method: AuthMethod): readonly Check[] {
  const fields = fieldsOf(method);
  return [
    {
      name: `${method.id}: its fields have names of their own and anchored patterns`,
      run() {
        assert.equal(new Set(fields.map(({ name }) => name)).size, fields.length);
        fields.forEach(checkField);
      },
    },
    {
      name: `${method.id}: requests carry what was handed over in headers, by declared fields`,
      run() {
        if (method.kind !== "oauth2") placementsOf(method).forEach((placement) => checkPlacement(placement, fields));
      },
    },
    { name: `${method.id}: it has what its kind needs`, run: () => checkKind(connector, method) },
  ];
}

function checkField({ name, label, hint, pattern, prefixes }: CredentialField): void {
  assert.match(name, /^[a-z][A-Za-z0-9]{0,39}$/);
  assert.ok(label !== "" && hint !== "");
  assert.ok(pattern.source.startsWith("^") && pattern.source.endsWith("$") && !pattern.flags.includes("g"));
  assert.ok(prefixes.every((prefix) => prefix !== ""));
}

function checkPlacement(placement: Placement, fields: readonly CredentialField[]): void {
  const declared = (name: string | null) => name === null || fields.some((field) => field.name === name);
  if (placement.kind === "basic") {
    assert.ok(declared(placement.username) && declared(placement.password));
    assert.ok(placement.username !== null || placement.password !== null);
    return;
  }
  checkHeader(placement.name);
  assert.ok(declared(placement.field));
}

/** Headers that frame a message are the engine's. */
function checkHeader(name: string): void {
  assert.match(name, /^[a-z][a-z0-9-]*$/);
  assert.ok(!["host", "cookie", "content-length", "connection", "transfer-encoding"].includes(name));
}

function checkKind(connector: Connector, method: AuthMethod): void {
  const names = fieldsOf(method).map(({ name }) => name);
  const has = (...wanted: readonly string[]) => assert.ok(wanted.every((name) => names.includes(name)));
  const required = () => assert.ok(fieldsOf(method).some((field) => field.required && field.secret));
  if ("tokenUrl" in method) checkTokenMethod(connector, method);
  switch (method.kind) {
    case "oauth2":
      assert.ok(isHttps(method.authorizeUrl(exampleParams(connector))));
      return;
    case "client_credentials":
      if (method.client === "connection") has("clientId", "clientSecret");
      return;
    case "jwt_bearer":
      assert.ok(method.lifetimeSeconds > 0 && method.lifetimeSeconds <= 300);
      if (method.signingKey !== "provider_app") has(method.signingKey.field);
      return;
    case "api_key":
      assert.ok(method.place.length > 0);
      return required();
    case "basic":
      return has("username", "password");
    case "rotating_key":
      assert.ok(method.place.length > 0 && method.periodDays >= 1);
      return required();
    case "mtls":
      return has("certificate", "privateKey");
  }
}

function checkTokenMethod(connector: Connector, method: TokenAuth): void {
  const params = exampleParams(connector);
  assert.ok(isHttps(method.tokenUrl(params)));
  for (const url of [method.revocationUrl, method.introspectionUrl, method.issuer]) {
    if (url !== null) assert.ok(isHttps(url(params)));
  }
  checkHeader(method.tokenHeader.name);
  assert.ok(method.defaultLifetimeSeconds === null || method.defaultLifetimeSeconds > 0);
}

/** Credentials never travel in the open, and never in a query. */
function isHttps(text: string): boolean {
  const url = new URL(text);
  return url.protocol === "https:" && url.username === "" && url.search === "";
}

function exampleParams(connector: Connector): ConnectionParams {
  return Object.fromEntries(connector.parameters.map((each) => [each.name, each.normalize(each.example) ?? ""]));
}
