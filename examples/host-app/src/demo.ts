/** Tideline's customers. Patchbay knows them as tenants, under these ids. */
export const TENANTS = [
  { id: "northwind", name: "Northwind Outfitters" },
  { id: "lumen-oak", name: "Lumen & Oak" },
] as const satisfies readonly { readonly id: string; readonly name: string }[];

export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly initials: string;
  readonly tenant: (typeof TENANTS)[number];
}

const [NORTHWIND, LUMEN_OAK] = TENANTS;
const INES: User = {
  id: "user_ines",
  name: "Ines Moreau",
  email: "ines@northwind.example",
  initials: "IM",
  tenant: NORTHWIND,
};
const THEO: User = {
  id: "user_theo",
  name: "Theo Lindqvist",
  email: "theo@lumenoak.example",
  initials: "TL",
  tenant: LUMEN_OAK,
};

/** People who can sign in: in this demo by picking a name, in your product through your own sign-in. */
export const USERS: readonly User[] = [INES, THEO];

/** The user of a session cookie; whoever comes without one is Ines. */
export function userOf(cookie: string | undefined): User {
  return USERS.find((user) => user.id === cookie) ?? INES;
}

export function tenantName(id: string | null): string {
  return TENANTS.find((tenant) => tenant.id === id)?.name ?? id ?? "Tideline";
}
