// The pages are made by the server. This file wires the connect widget and fetches parts again when something came.

const REFRESH_WAIT_MS = 150;
const REFRESH_EVERY_MS = 1_000;
const AGES_MS = 60_000;
const WIDGET_WAIT_MS = 8_000;

/** Asks our own backend, which knows who is signed in. */
async function fetchSessionToken() {
  const response = await fetch("/api/connect-session", { method: "POST" });
  if (!response.ok) throw new Error(`connect session: ${response.status}`);
  return (await response.json()).token;
}

/* The widget: one on the page, one that opens over it. */

window.patchbayQueue ||= [];
const widget = document.querySelector("patchbay-connect");
if (widget) {
  widget.fetchSessionToken = fetchSessionToken;
  const missing = document.querySelector("#widget-missing");
  const late = setTimeout(() => (missing.hidden = false), WIDGET_WAIT_MS);
  void customElements.whenDefined("patchbay-connect").then(() => {
    clearTimeout(late);
    missing.hidden = true;
  });
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-connect]")) return;
  window.patchbayQueue.push(["open", { fetchSessionToken }, (handle) => handle.result.then(scheduleRefresh, () => {})]);
});

// Its events do not bubble: listen on the way down.
for (const type of ["connected", "disconnected", "sync-progress"]) {
  document.addEventListener(`patchbay:${type}`, scheduleRefresh, { capture: true });
}

/* Live parts. */

const live = document.querySelector("#live");
const source = new EventSource("/live");
let wasAway = false;
source.addEventListener("hello", () => {
  showLive("on", "Live");
  if (wasAway) scheduleRefresh();
});
source.addEventListener("error", () => {
  wasAway = true;
  showLive("off", "Reconnecting…");
});
source.addEventListener("message", (message) => {
  const isMine = message.data === document.body.dataset.tenant;
  if (live || isMine) scheduleRefresh();
});

function showLive(state, text) {
  if (!live) return;
  live.dataset.state = state;
  live.querySelector("b").textContent = text;
}

// "3 min. ago" grows old.
setInterval(() => document.hidden || scheduleRefresh(), AGES_MS);

let timer = null;
let refreshedAt = 0;

function scheduleRefresh() {
  const soon = Math.max(REFRESH_WAIT_MS, refreshedAt + REFRESH_EVERY_MS - Date.now());
  timer ??= setTimeout(refresh, soon);
}

/** Fetches this page and takes over its live parts. The browser parses it: no strings become markup here. */
function refresh() {
  timer = null;
  refreshedAt = Date.now();
  const request = new XMLHttpRequest();
  request.open("GET", location.href);
  request.responseType = "document";
  request.timeout = 10_000;
  request.addEventListener("load", () => {
    if (request.status === 200 && request.response) takeOver(request.response);
  });
  request.send();
}

function takeOver(fresh) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    if (!now || now.isEqualNode(old)) continue;
    keepState(old, now);
    old.replaceWith(document.adoptNode(now));
  }
}

/** Open rows stay open and scrolled, the focus stays where it was, and new rows are marked as such. */
function keepState(old, now) {
  const hadRows = old.querySelector("tr[id], details[id]") !== null;
  const focused = document.activeElement?.closest("details[id]")?.id;
  for (const row of now.querySelectorAll("tr[id], details[id]")) {
    const before = document.getElementById(row.id);
    if (!before && hadRows) row.classList.add("fresh");
    if (!before?.open) continue;
    row.open = true;
    const { scrollTop } = before.querySelector("pre");
    queueMicrotask(() => (row.querySelector("pre").scrollTop = scrollTop));
  }
  if (focused) queueMicrotask(() => document.getElementById(focused)?.querySelector("summary").focus());
}

/* The account menu closes like a menu. */

const menu = document.querySelector(".who");
document.addEventListener("click", (event) => {
  if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
