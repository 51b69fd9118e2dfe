import { channel } from "node:diagnostics_channel";

/** What a parent tells a child that is to die, to stand still, or to count. */
export type Order =
  | { readonly kind: "begin" }
  | { readonly kind: "die" | "stop"; readonly boundary: string; readonly nth: number }
  | { readonly kind: "count" }
  | { readonly kind: "report" };

const counts = new Map<string, number>();
let counting = false;
let deadly: { readonly boundary: string; nth: number; readonly signal: "SIGKILL" | "SIGSTOP" } | null = null;

/** Called at each boundary. At the one it was told the process ends, or stands still: nothing after this line runs. */
export function reach(boundary: string): void {
  if (counting) counts.set(boundary, (counts.get(boundary) ?? 0) + 1);
  if (deadly === null || deadly.boundary !== boundary) return;
  deadly.nth -= 1;
  if (deadly.nth === 0) process.kill(process.pid, deadly.signal);
}

/** Node and undici tell of every message that comes and goes. */
function watchHttp(): void {
  channel("http.server.request.start").subscribe((message) => reach(`received ${incoming(message)}`));
  channel("http.server.response.finish").subscribe((message) => reach(`answered ${incoming(message)}`));
  channel("undici:client:sendHeaders").subscribe((message) => reach(`sending ${outgoing(message)}`));
  channel("undici:request:bodySent").subscribe((message) => reach(`sent ${outgoing(message)}`));
  channel("undici:request:headers").subscribe((message) => reach(`answer began to ${outgoing(message)}`));
  channel("undici:request:trailers").subscribe((message) => reach(`answer ended to ${outgoing(message)}`));
}

/** As both publish it. */
interface Told {
  readonly request: { readonly method: string; readonly url?: string; readonly path?: string };
}

function incoming(message: unknown): string {
  const { request } = message as Told;
  return `${request.method} ${pathOf(request.url ?? "")}`;
}

function outgoing(message: unknown): string {
  const { request } = message as Told;
  const path = request.path ?? "";
  return `${request.method} ${path.startsWith("/_shops/") ? "to the provider" : "to the host"}`;
}

/** `/in/shopify/src_…` → `/in`. */
function pathOf(url: string): string {
  return /^\/(?:v1\/)?[\w-]*/.exec(url)?.[0] ?? "/";
}

watchHttp();
process.on("message", (order: Order) => {
  switch (order.kind) {
    case "begin":
      return;
    case "die":
    case "stop":
      deadly = {
        boundary: order.boundary,
        nth: order.nth,
        signal: order.kind === "die" ? "SIGKILL" : "SIGSTOP",
      };
      return;
    case "count":
      counts.clear();
      counting = true;
      return;
    case "report":
      process.send?.(Object.fromEntries(counts));
  }
});
// Waiting for orders is no reason to live on.
process.channel?.unref();
