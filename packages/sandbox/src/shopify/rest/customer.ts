import type { Json } from "../json.ts";
import type { Address, Catalog, Customer } from "../model.ts";
import { gid, restTime } from "./parts.ts";

/** The body of `customers/create` and `customers/update`. */
export function customerBody(catalog: Catalog, customer: Customer): Json {
  return {
    ...customerCore(catalog, customer),
    addresses: customer.addresses.map((address, index) => customerAddress(customer, address, index === 0)),
  };
}

/** A customer as it stands inside an order. */
export function customerCore(catalog: Catalog, customer: Customer): { readonly [key: string]: Json } {
  const [address] = customer.addresses;
  return {
    id: customer.id,
    created_at: restTime(customer.createdAt),
    updated_at: restTime(customer.updatedAt),
    first_name: customer.firstName,
    last_name: customer.lastName,
    state: customer.state.toLowerCase(),
    note: customer.note,
    verified_email: customer.verifiedEmail,
    multipass_identifier: null,
    tax_exempt: customer.taxExempt,
    email: customer.email,
    phone: customer.phone,
    currency: catalog.profile.currency,
    tax_exemptions: [],
    admin_graphql_api_id: gid("Customer", customer.id),
    ...(address ? { default_address: customerAddress(customer, address, true) } : {}),
  };
}

function customerAddress(customer: Customer, address: Address, isDefault: boolean): Json {
  return {
    id: address.id,
    customer_id: customer.id,
    first_name: address.firstName,
    last_name: address.lastName,
    company: address.company,
    address1: address.address1,
    address2: address.address2,
    city: address.city,
    province: address.province,
    country: address.country,
    zip: address.zip,
    phone: address.phone,
    name: `${address.firstName} ${address.lastName}`.trim(),
    province_code: address.provinceCode,
    country_code: address.countryCode,
    country_name: address.country,
    default: isDefault,
  };
}
