import { inWords } from "../../oauth/scopes.ts";
import type { AppRegistration, BulkOperation, Install, Subscription } from "../../world.ts";
import type { Ctx } from "../context.ts";
import { gid, time } from "./parts.ts";

export function shopView(ctx: Ctx) {
  const { profile, createdAt } = ctx.shop.catalog;
  return {
    __typename: "Shop",
    id: gid("Shop", profile.id),
    name: profile.name,
    myshopifyDomain: profile.domain,
    email: profile.email,
    contactEmail: profile.email,
    shopOwnerName: profile.owner,
    currencyCode: profile.currency,
    enabledPresentmentCurrencies: [profile.currency, ...profile.presentment.map((entry) => entry.currency)],
    ianaTimezone: profile.timezone,
    timezoneAbbreviation: "UTC",
    timezoneOffset: "+0000",
    timezoneOffsetMinutes: 0,
    primaryDomain: {
      __typename: "Domain",
      id: gid("Domain", profile.id),
      host: profile.domain,
      url: `https://${profile.domain}`,
      sslEnabled: true,
    },
    url: `https://${profile.domain}`,
    richTextEditorUrl: `https://${profile.domain}/admin/editor`,
    plan: { publicDisplayName: profile.plan, partnerDevelopment: false, shopifyPlus: profile.plan === "Plus" },
    description: null,
    customerAccounts: "OPTIONAL",
    checkoutApiSupported: true,
    marketingSmsConsentEnabledAtCheckout: false,
    orderNumberFormatPrefix: "#",
    orderNumberFormatSuffix: "",
    setupRequired: false,
    shipsToCountries: [profile.countryCode],
    taxesIncluded: profile.taxesIncluded,
    taxShipping: false,
    transactionalSmsDisabled: false,
    unitSystem: "METRIC_SYSTEM",
    weightUnit: "GRAMS",
    createdAt: time(createdAt),
    updatedAt: time(createdAt),
  };
}

export function installView(ctx: Ctx, install: Install) {
  const app = ctx.world.state.apps.get(install.clientId);
  return {
    __typename: "AppInstallation",
    id: gid("AppInstallation", install.id),
    accessScopes: ctx.token.scopes.map((handle) => ({ handle, description: inWords(handle) })),
    app: () => (app ? appView(app, install) : null),
    launchUrl: `${ctx.baseUrl}/`,
    uninstallUrl: null,
  };
}

export function appView(app: AppRegistration, install: Install) {
  return {
    __typename: "App",
    id: gid("App", install.id),
    apiKey: app.clientId,
    handle: app.clientId,
    title: app.title,
    description: null,
    developerName: null,
    developerType: "PARTNER",
    embedded: false,
    features: [],
    appStoreAppUrl: null,
    appStoreDeveloperUrl: null,
    installUrl: null,
    isPostPurchaseAppInUse: false,
    previouslyInstalled: false,
    pricingDetails: null,
    pricingDetailsSummary: "",
    privacyPolicyUrl: null,
    publicCategory: "CUSTOM",
    published: false,
    shopifyDeveloped: false,
    uninstallMessage: "",
    webhookApiVersion: "2026-10",
  };
}

export function subscriptionView(subscription: Subscription) {
  return {
    __typename: "WebhookSubscription",
    id: gid("WebhookSubscription", subscription.id),
    legacyResourceId: subscription.id.toString(),
    topic: subscription.topicEnum,
    uri: subscription.uri,
    format: subscription.format,
    filter: subscription.filter,
    includeFields: subscription.includeFields,
    metafieldNamespaces: subscription.metafieldNamespaces,
    name: subscription.name,
    apiVersion: { handle: subscription.apiVersion, displayName: subscription.apiVersion, supported: true },
    createdAt: time(subscription.createdAt),
    updatedAt: time(subscription.updatedAt),
  };
}

export function bulkView(ctx: Ctx, bulk: BulkOperation) {
  const done = bulk.result !== null && bulk.result.objects > 0;
  const path = `/_shops/${ctx.shop.catalog.profile.domain}/_bulk/${bulk.id}.jsonl`;
  return {
    __typename: "BulkOperation",
    id: gid("BulkOperation", bulk.id),
    type: "QUERY",
    status: bulk.status,
    errorCode: bulk.errorCode,
    query: bulk.query,
    objectCount: String(bulk.result?.objects ?? 0),
    rootObjectCount: String(bulk.result?.roots ?? 0),
    fileSize: bulk.result ? String(Buffer.byteLength(bulk.result.jsonl)) : null,
    url: done && bulk.status === "COMPLETED" ? `${ctx.baseUrl}${path}` : null,
    partialDataUrl: done && bulk.status === "FAILED" ? `${ctx.baseUrl}${path}` : null,
    createdAt: time(bulk.createdAt),
    completedAt: time(bulk.completedAt),
  };
}
