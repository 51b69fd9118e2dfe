import type { WorkspaceId } from "@patchbay/shared";
import { authMethod, type Connector, type RotatingKeyAuth } from "../../connectors/kit/index.ts";
import { getProviderApp } from "../../domain/workspaces/index.ts";
import { Secret, newId } from "../../platform/runtime/index.ts";
import type { GrantTarget, RotatingGrant } from "../credentials/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { identify } from "./identify.ts";

const DEADLINE_MS = 10_000;
const DAY_MS = 86_400_000;
/** After trouble on the way. */
const RETRY_MS = 5 * 60_000;

/**
 * A sweep: replaces keys whose period is over. The new key is made, proves itself by a live call, and is in use before
 * the old one is revoked at the provider. Every step is committed before the next begins, so that a process that dies
 * leaves a key that works and a row that says how to go on.
 */
export async function rotateKeys(deps: ConnectDeps, workspaceId: WorkspaceId): Promise<void> {
  for (const target of await deps.credentials.rotations.due(workspaceId)) {
    await rotateKey(deps, target).catch((error: unknown) => deps.log.error({ error, ...target }, "key not rotated"));
  }
}

async function rotateKey(deps: ConnectDeps, target: GrantTarget): Promise<void> {
  let grant = await deps.credentials.rotations.take(target);
  // Four steps lead round: idle, creating, proving, revoking.
  for (let step = 0; grant !== null && step < 4; step++) {
    const connector = deps.connectors[grant.provider];
    const method = connector === undefined ? null : authMethod(connector, grant.authMethod);
    if (connector === undefined || method?.kind !== "rotating_key") return;
    grant = await nextStep(deps, { connector, method, grant });
  }
}

interface At {
  readonly connector: Connector;
  readonly method: RotatingKeyAuth;
  readonly grant: RotatingGrant;
}

/** @returns the grant when the next step may follow at once, else `null` */
async function nextStep(deps: ConnectDeps, at: At): Promise<RotatingGrant | null> {
  const { rotations } = deps.credentials;
  const { grant, method } = at;
  const { secret } = grant;
  const { rotation } = secret;
  switch (rotation?.step) {
    case undefined:
      return rotations.write(grant, { ...secret, rotation: { step: "creating", attempt: newId() } }, RETRY_MS);
    case "creating": {
      const next = await create(deps, at, rotation.attempt);
      return next === null
        ? null
        : rotations.write(grant, { ...secret, rotation: { step: "proving", next } }, RETRY_MS, {
            action: "grant.key_created",
            ok: true,
          });
    }
    case "proving": {
      const proved = await prove(deps, at, rotation.next);
      if (proved === "later") return null;
      if (proved === "no") {
        deps.log.error({ provider: grant.provider, grantId: grant.grantId }, "a new key did not prove itself");
        await rotations.write(grant, { ...secret, rotation: null }, DAY_MS, { action: "grant.key_refused", ok: false });
        return null;
      }
      const inUse = { kind: "fields", fields: rotation.next } as const;
      return rotations.write(grant, { ...inUse, rotation: { step: "revoking", old: secret.fields } }, RETRY_MS, {
        action: "grant.key_replaced",
        ok: true,
      });
    }
    case "revoking": {
      const gone = await send(deps, at, method.revoke(revealed(rotation.old)));
      if (gone === "later") return null;
      await rotations.write(grant, { ...secret, rotation: null }, method.periodDays * DAY_MS, {
        action: "grant.key_revoked",
        ok: gone !== "refused",
      });
      return null;
    }
  }
}

/** A new key, with the one in use. The same attempt again, after a crash, is the provider's to recognize. */
async function create(deps: ConnectDeps, at: At, attempt: string): Promise<Readonly<Record<string, Secret>> | null> {
  const answer = await send(deps, at, at.method.create(attempt));
  if (answer === "later" || answer === "refused") return null;
  const made = at.method.parseCreated(answer);
  if (made === null) {
    deps.log.error({ provider: at.grant.provider, grantId: at.grant.grantId }, "a new key was not understood");
    return null;
  }
  const changed = Object.entries(made).map(([name, value]) => [name, new Secret(value)] as const);
  return { ...at.grant.secret.fields, ...Object.fromEntries(changed) };
}

/** Whether the new key opens the same account. */
async function prove(
  deps: ConnectDeps,
  { connector, method, grant }: At,
  fields: Readonly<Record<string, Secret>>,
): Promise<"yes" | "no" | "later"> {
  const { workspaceId, grantId, params, mode, accountId } = grant;
  const app = await getProviderApp(deps, { workspaceId, provider: connector.id });
  if (app === null) return "later";
  const asked = { connector, auth: method, params, mode, baseUrlOverride: app.baseUrlOverride, owner: grantId };
  const account = await identify(deps, asked, { fields });
  if ("problem" in account) return account.problem === "refused" ? "no" : "later";
  return account.accountId === accountId ? "yes" : "no";
}

async function send(deps: ConnectDeps, { grant }: At, request: Parameters<ConnectDeps["client"]["call"]>[1]) {
  const outcome = await deps.client.call(grant, request, { priority: "incremental", deadlineMs: DEADLINE_MS });
  if (outcome.ok) return outcome.response;
  const { kind } = outcome.fault;
  return kind === "unavailable" || kind === "rate_limited" ? "later" : "refused";
}

function revealed(fields: Readonly<Record<string, Secret>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.reveal()]));
}
