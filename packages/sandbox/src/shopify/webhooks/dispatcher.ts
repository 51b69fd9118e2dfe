import { signBody } from "../oauth/hmac.ts";
import { type Json, stringify } from "../json.ts";
import { type Delivery, newUuid, type ShopState, type Subscription, type World } from "../world.ts";
import type { Sender } from "./sender.ts";

/** Eight retries that end four hours after the first attempt. */
export const RETRY_DELAYS_S = [10, 30, 60, 300, 900, 1800, 3600, 7700];
const KEPT_DELIVERIES = 400;
const MAX_IN_FLIGHT = 16;
const DISORDER_WINDOW_MS = 150;
const TICK_MS = 500;
const REDACT_AFTER_MS = 48 * 3_600_000;

/** Sends webhooks of all stores: at once, again when they fail, and wrongly when a switch says so. */
export class Dispatcher {
  readonly #world: World;
  readonly #sender: Sender;
  readonly #onChange: () => void;
  readonly #queue: (() => Promise<void>)[] = [];
  readonly #shuffled: { shop: ShopState; delivery: Delivery }[] = [];
  readonly #timer: NodeJS.Timeout;
  #inFlight = 0;
  #shuffleTimer: NodeJS.Timeout | null = null;
  #idle: (() => void)[] = [];

  constructor(world: World, sender: Sender, onChange: () => void) {
    this.#world = world;
    this.#sender = sender;
    this.#onChange = onChange;
    this.#timer = setInterval(() => this.retryDueNow(), TICK_MS);
    this.#timer.unref();
  }

  /** Queues one webhook for every subscription of the store to this topic. */
  emit(shop: ShopState, topic: string, body: () => Json): void {
    const subscriptions = [...shop.subscriptions.values()].filter(
      (s) => s.topic === topic && shop.installs.has(s.clientId),
    );
    if (subscriptions.length === 0) return;
    const payload = body();
    const eventId = newUuid();
    for (const subscription of subscriptions)
      this.#enqueue(shop, newDelivery(this.#world, subscription, eventId, payload));
  }

  /** Tells an app that it was uninstalled; its subscriptions are gone with it. `shop/redact` follows 48 hours later. */
  uninstalled(shop: ShopState, clientId: string, body: Json): void {
    const mine = [...shop.subscriptions.values()].filter((subscription) => subscription.clientId === clientId);
    const eventId = newUuid();
    for (const subscription of mine) {
      shop.subscriptions.delete(subscription.id);
      if (subscription.topic !== "app/uninstalled") continue;
      this.#enqueue(shop, newDelivery(this.#world, subscription, eventId, body));
    }
    const others = shop.redactDue.filter((entry) => entry.clientId !== clientId);
    shop.redactDue.splice(0, Infinity, ...others, {
      clientId,
      at: new Date(this.#world.clock.now().getTime() + REDACT_AFTER_MS),
    });
    this.#onChange();
  }

  /** Sends a compliance topic to the app's URL; false when the app registered none. */
  compliance(shop: ShopState, clientId: string, topic: string, body: Json): boolean {
    const app = this.#world.state.apps.get(clientId);
    if (!app?.complianceUrl) return false;
    const now = this.#world.clock.now();
    this.#enqueue(shop, {
      webhookId: newUuid(),
      eventId: newUuid(),
      topic,
      clientId,
      subscriptionId: null,
      url: app.complianceUrl,
      apiVersion: "2026-10",
      body: stringify(body),
      triggeredAt: now,
      attempts: [],
      nextAttemptAt: null,
      state: "waiting",
    });
    return true;
  }

  /** Starts what is due by the clock: retries, and redact requests after an uninstall. Returns how many it started. */
  retryDueNow(): number {
    const now = this.#world.clock.now();
    let started = 0;
    for (const shop of this.#world.state.shops.values()) {
      const due = shop.deliveries.filter(
        (d) => d.state === "waiting" && d.attempts.length > 0 && d.nextAttemptAt !== null && d.nextAttemptAt <= now,
      );
      for (const delivery of due) this.#start(shop, delivery);
      started += due.length + this.#redactDue(shop, now);
    }
    return started;
  }

  /** Sends what an earlier process had queued but not tried. */
  resume(): void {
    for (const shop of this.#world.state.shops.values()) {
      const untried = shop.deliveries.filter(
        (delivery) => delivery.state === "waiting" && delivery.nextAttemptAt === null,
      );
      for (const delivery of untried) this.#start(shop, delivery);
    }
  }

  /** Sends what was held back. */
  release(shop: ShopState): number {
    const held = shop.deliveries.filter((delivery) => delivery.state === "held");
    for (const delivery of held) this.#start(shop, delivery);
    return held.length;
  }

  /** Resolves when nothing is being sent or waiting to be sent for the first time. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#shuffleTimer) clearTimeout(this.#shuffleTimer);
    this.#shuffled.length = 0;
    this.#queue.length = 0;
    await this.#sender.close();
  }

  #enqueue(shop: ShopState, delivery: Delivery): void {
    shop.deliveries.push(delivery);
    trim(shop.deliveries);
    this.#onChange();
    if (shop.switches.hold) {
      delivery.state = "held";
      return;
    }
    if (!shop.switches.disorder) return this.#start(shop, delivery);
    this.#shuffled.push({ shop, delivery });
    this.#shuffleTimer ??= setTimeout(() => this.#flushShuffled(), DISORDER_WINDOW_MS);
  }

  /** Newest first, then oldest: always out of order, and the same way every time. */
  #flushShuffled(): void {
    this.#shuffleTimer = null;
    let fromEnd = true;
    while (this.#shuffled.length > 0) {
      const next = fromEnd ? this.#shuffled.pop() : this.#shuffled.shift();
      if (next) this.#start(next.shop, next.delivery);
      fromEnd = !fromEnd;
    }
    this.#settle();
  }

  #start(shop: ShopState, delivery: Delivery): void {
    delivery.state = "waiting";
    delivery.nextAttemptAt = null;
    this.#queue.push(() => this.#attempt(shop, delivery));
    for (let copy = 0; copy < shop.switches.duplicates; copy++) this.#queue.push(() => this.#repeat(shop, delivery));
    this.#pump();
  }

  #pump(): void {
    while (this.#inFlight < MAX_IN_FLIGHT) {
      const job = this.#queue.shift();
      if (!job) break;
      this.#inFlight++;
      void job().finally(() => {
        this.#inFlight--;
        this.#pump();
        this.#settle();
      });
    }
  }

  async #attempt(shop: ShopState, delivery: Delivery): Promise<void> {
    const app = this.#world.state.apps.get(delivery.clientId);
    if (!app) return;
    const at = this.#world.clock.now();
    const begun = performance.now();
    const result = await this.#sender.send(delivery.url, headersOf(shop, delivery, app.clientSecret), delivery.body);
    delivery.attempts.push({ at, elapsedMs: Math.round(performance.now() - begun), ...result });
    const ok = result.status !== null && result.status >= 200 && result.status < 300;
    if (ok) delivery.state = "delivered";
    else this.#planRetry(shop, delivery);
    this.#world.log(
      `webhook ${delivery.topic} ${shop.catalog.profile.domain} → ${result.status ?? result.error ?? "?"}`,
    );
    this.#onChange();
  }

  async #repeat(shop: ShopState, delivery: Delivery): Promise<void> {
    const app = this.#world.state.apps.get(delivery.clientId);
    if (app) await this.#sender.send(delivery.url, headersOf(shop, delivery, app.clientSecret), delivery.body);
  }

  #planRetry(shop: ShopState, delivery: Delivery): void {
    const delay = RETRY_DELAYS_S[delivery.attempts.length - 1];
    if (delay !== undefined) {
      delivery.nextAttemptAt = new Date(this.#world.clock.now().getTime() + delay * 1000);
      return;
    }
    delivery.state = "failed";
    if (delivery.subscriptionId === null || !shop.subscriptions.delete(delivery.subscriptionId)) return;
    this.#world.log(`webhook subscription ${delivery.topic} deleted after ${RETRY_DELAYS_S.length} failed retries`);
  }

  #redactDue(shop: ShopState, now: Date): number {
    const due = shop.redactDue.filter((entry) => entry.at <= now);
    for (const entry of due) {
      shop.redactDue.splice(shop.redactDue.indexOf(entry), 1);
      if (shop.installs.has(entry.clientId)) continue;
      const { id, domain } = shop.catalog.profile;
      this.compliance(shop, entry.clientId, "shop/redact", { shop_id: id, shop_domain: domain });
    }
    return due.length;
  }

  #isIdle(): boolean {
    return this.#inFlight === 0 && this.#queue.length === 0 && this.#shuffled.length === 0;
  }

  #settle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function newDelivery(world: World, subscription: Subscription, eventId: string, payload: Json): Delivery {
  const now = world.clock.now();
  return {
    webhookId: newUuid(),
    eventId,
    topic: subscription.topic,
    clientId: subscription.clientId,
    subscriptionId: subscription.id,
    url: subscription.uri,
    apiVersion: subscription.apiVersion,
    body: stringify(pickFields(payload, subscription.includeFields)),
    triggeredAt: now,
    attempts: [],
    nextAttemptAt: null,
    state: "waiting",
  };
}

function headersOf(shop: ShopState, delivery: Delivery, secret: string): Record<string, string> {
  const subscription = delivery.subscriptionId === null ? undefined : shop.subscriptions.get(delivery.subscriptionId);
  return {
    "Content-Type": "application/json",
    "User-Agent": "Shopify-Captain-Hook",
    "X-Shopify-Topic": delivery.topic,
    "X-Shopify-Hmac-Sha256": signBody(delivery.body, secret),
    "X-Shopify-Shop-Domain": shop.catalog.profile.domain,
    "X-Shopify-API-Version": delivery.apiVersion,
    "X-Shopify-Webhook-Id": delivery.webhookId,
    "X-Shopify-Event-Id": delivery.eventId,
    "X-Shopify-Triggered-At": delivery.triggeredAt.toISOString(),
    ...(subscription?.name ? { "X-Shopify-Name": subscription.name } : {}),
  };
}

function pickFields(payload: Json, fields: readonly string[]): Json {
  if (fields.length === 0 || payload === null || typeof payload !== "object" || Array.isArray(payload)) return payload;
  return Object.fromEntries(Object.entries(payload).filter(([key]) => fields.includes(key)));
}

function trim(deliveries: Delivery[]): void {
  while (deliveries.length > KEPT_DELIVERIES) {
    const done = deliveries.findIndex((delivery) => delivery.state === "delivered" || delivery.state === "failed");
    deliveries.splice(Math.max(0, done), 1);
  }
}
