import type { ConnectProvider } from "@patchbay/shared";
import type { ParameterProblem } from "./machine/state.ts";

type Parameter = ConnectProvider["parameters"][number];

/** What a look at a typed value tells, without asking the backend. */
export type ParameterCheck =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly problem: ParameterProblem };

const ADMIN_ADDRESS = /^admin\.[^/]+\/store\/([^/?#]+)/i;
const LABEL = /^[a-z0-9][a-z0-9-]{0,62}$/;
const HOST_NAME = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/;

/**
 * Reads an account's address as people type or paste it: the bare name, the whole URL, or the admin's URL.
 *
 * The backend decides; this only spares a round trip for what cannot be right.
 */
export function checkParameter(parameter: Pick<Parameter, "suffix">, typed: string): ParameterCheck {
  const text = typed.trim();
  if (text === "") return { ok: false, problem: "format" };
  if (parameter.suffix === null) return { ok: true, value: text };

  const address = text.toLowerCase().replace(/^[a-z]+:\/\//, "");
  const inAdmin = ADMIN_ADDRESS.exec(address)?.[1];
  const host = inAdmin ?? address.split(/[/?#]/)[0] ?? "";
  const name = host.endsWith(parameter.suffix) ? host.slice(0, -parameter.suffix.length) : host;

  if (LABEL.test(name)) return { ok: true, value: name + parameter.suffix };
  return { ok: false, problem: HOST_NAME.test(host) && !host.endsWith(parameter.suffix) ? "publicSite" : "format" };
}
