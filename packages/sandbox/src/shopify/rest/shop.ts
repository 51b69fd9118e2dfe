import type { Json } from "../json.ts";
import type { Catalog } from "../model.ts";
import { restTime } from "./parts.ts";

/** The body of `app/uninstalled` and `shop/update`. */
export function shopBody(catalog: Catalog): Json {
  const { profile } = catalog;
  const [location] = catalog.locations.values();
  return {
    id: profile.id,
    name: profile.name,
    email: profile.email,
    domain: profile.domain,
    province: location?.address.province ?? null,
    country: profile.countryCode,
    address1: location?.address.address1 ?? null,
    zip: location?.address.zip ?? null,
    city: location?.address.city ?? null,
    source: null,
    phone: location?.address.phone ?? null,
    latitude: null,
    longitude: null,
    primary_locale: "en",
    address2: null,
    created_at: restTime(catalog.createdAt),
    updated_at: restTime(catalog.createdAt),
    country_code: profile.countryCode,
    country_name: profile.country,
    currency: profile.currency,
    customer_email: profile.email,
    timezone: profile.timezone,
    iana_timezone: profile.timezone,
    shop_owner: profile.owner,
    money_format: "{{amount}}",
    money_with_currency_format: `{{amount}} ${profile.currency}`,
    weight_unit: "kg",
    province_code: location?.address.provinceCode ?? null,
    taxes_included: profile.taxesIncluded,
    plan_display_name: profile.plan,
    plan_name: profile.plan.toLowerCase(),
    has_discounts: true,
    has_gift_cards: true,
    myshopify_domain: profile.domain,
    primary_location_id: location?.id ?? null,
    multi_location_enabled: true,
    setup_required: false,
    enabled_presentment_currencies: [profile.currency, ...profile.presentment.map((entry) => entry.currency)],
  };
}
