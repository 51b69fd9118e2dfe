import type { Customer } from "../model.ts";
import { customerBody } from "../rest/customer.ts";
import { newId, Refused, type Store } from "../store.ts";

export interface CustomerChanges {
  readonly firstName?: string | null;
  readonly lastName?: string | null;
  readonly email?: string | null;
  readonly phone?: string | null;
  readonly note?: string | null;
  readonly locale?: string;
  readonly tags?: readonly string[];
  readonly taxExempt?: boolean;
}

export function createCustomer(store: Store, changes: CustomerChanges): Customer {
  if (!changes.email && !changes.phone && !changes.firstName && !changes.lastName) {
    throw new Refused("Customer must have a name, phone number or email address");
  }
  refuseTaken(store, changes, null);
  const customer: Customer = {
    id: newId(store),
    firstName: null,
    lastName: null,
    email: null,
    phone: null,
    locale: "en",
    note: null,
    tags: [],
    state: "DISABLED",
    verifiedEmail: true,
    taxExempt: false,
    marketing: "NOT_SUBSCRIBED",
    addresses: [],
    createdAt: store.now(),
    updatedAt: store.now(),
  };
  apply(customer, changes);
  store.catalog.customers.set(customer.id, customer);
  store.emit("customers/create", () => customerBody(store.catalog, customer));
  return customer;
}

export function updateCustomer(store: Store, customer: Customer, changes: CustomerChanges): void {
  refuseTaken(store, changes, customer.id);
  apply(customer, changes);
  customer.updatedAt = store.now();
  store.emit("customers/update", () => customerBody(store.catalog, customer));
}

export function deleteCustomer(store: Store, customer: Customer): void {
  const hasOrders = [...store.catalog.orders.values()].some((order) => order.customerId === customer.id);
  if (hasOrders) throw new Refused("Customer can’t be deleted because they have associated orders");
  store.catalog.customers.delete(customer.id);
  store.emit("customers/delete", () => ({
    id: customer.id,
    tax_exemptions: [],
    admin_graphql_api_id: `gid://shopify/Customer/${customer.id}`,
  }));
}

function refuseTaken(store: Store, changes: CustomerChanges, self: bigint | null): void {
  const email = changes.email?.toLowerCase();
  if (!email) return;
  const taken = [...store.catalog.customers.values()].some((c) => c.id !== self && c.email?.toLowerCase() === email);
  if (taken) throw new Refused("Email has already been taken");
}

function apply(customer: Customer, changes: CustomerChanges): void {
  if (changes.firstName !== undefined) customer.firstName = changes.firstName;
  if (changes.lastName !== undefined) customer.lastName = changes.lastName;
  if (changes.email !== undefined) customer.email = changes.email;
  if (changes.phone !== undefined) customer.phone = changes.phone;
  if (changes.note !== undefined) customer.note = changes.note;
  if (changes.locale !== undefined) customer.locale = changes.locale;
  if (changes.tags !== undefined) customer.tags = [...changes.tags];
  if (changes.taxExempt !== undefined) customer.taxExempt = changes.taxExempt;
}
