/** One sheet for all pages. Colors follow the browser's light or dark preference. */
export const STYLE = `
:root {
  --ground: #f4f5f3; --card: #ffffff; --ink: #1d211f; --soft: #5d6662; --line: #dfe3e0; --line-strong: #b9c1bd;
  --brand: #176b52; --brand-ink: #ffffff; --brand-soft: #e3f1eb; --good: #176b52; --bad: #b3261e; --bad-soft: #fbeae8;
  --warn: #8a5a00; --warn-soft: #fdf2dc; --radius: 12px; --shadow: 0 1px 2px rgb(20 30 25 / 6%), 0 4px 16px rgb(20 30 25 / 5%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121513; --card: #1b1f1d; --ink: #e9ecea; --soft: #a0aaa5; --line: #2d3330; --line-strong: #48514c;
    --brand: #5fc7a3; --brand-ink: #0b1f18; --brand-soft: #1c322a; --good: #6fd3af; --bad: #ff9a90; --bad-soft: #3a2220;
    --warn: #f0c36c; --warn-soft: #352b17; --shadow: none;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 ui-sans-serif, system-ui, "Segoe UI", Roboto, sans-serif; }
h1, h2, h3 { margin: 0; line-height: 1.25; letter-spacing: -0.01em; }
h1 { font-size: 22px; } h2 { font-size: 16px; } p { margin: 0; }
a { color: var(--brand); text-underline-offset: 2px; }
code { font: 13px/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.soft { color: var(--soft); } .small { font-size: 13px; } .nowrap { white-space: nowrap; }
main { max-width: 1160px; margin: 0 auto; padding: 32px 24px 64px; display: grid; gap: 20px; }
.narrow main { max-width: 480px; padding: 40px 16px; }
header.top { display: flex; flex-wrap: wrap; gap: 12px 16px; align-items: center; justify-content: space-between; }
.badge { display: inline-block; padding: 2px 10px; border-radius: 999px; background: var(--brand-soft); color: var(--good); font-size: 12px; font-weight: 600; white-space: nowrap; }
.badge.bad { background: var(--bad-soft); color: var(--bad); } .badge.warn { background: var(--warn-soft); color: var(--warn); }
.badge.plain { background: transparent; color: var(--soft); border: 1px solid var(--line); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); box-shadow: var(--shadow); padding: 20px; display: grid; gap: 14px; align-content: start; min-width: 0; }
.grid { display: grid; gap: 20px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
.columns { display: grid; gap: 20px; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); align-items: start; }
.stack { display: grid; gap: 20px; align-content: start; min-width: 0; }
.figures { display: flex; flex-wrap: wrap; gap: 8px 28px; }
.figures div { display: grid; } .figures b { font-size: 20px; font-variant-numeric: tabular-nums; } .figures span { color: var(--soft); font-size: 13px; }
form { margin: 0; } fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
.row { display: flex; flex-wrap: wrap; gap: 10px; align-items: end; }
.row > label { flex: 1 1 130px; }
label { display: grid; gap: 4px; font-size: 13px; color: var(--soft); min-width: 0; }
label.check { display: flex; gap: 8px; align-items: center; color: var(--ink); font-size: 14px; min-height: 32px; }
input, select { font: inherit; font-size: 15px; color: var(--ink); background: var(--ground); border: 1px solid var(--line-strong); border-radius: 8px; padding: 8px 10px; min-height: 40px; width: 100%; min-width: 0; }
input[type="checkbox"] { width: 18px; height: 18px; min-height: 0; accent-color: var(--brand); }
button, .button { font: inherit; font-weight: 600; font-size: 14px; min-height: 40px; padding: 8px 16px; border-radius: 8px; border: 1px solid var(--line-strong); background: var(--card); color: var(--ink); cursor: pointer; text-decoration: none; display: inline-flex; align-items: center; justify-content: center; }
button:hover, .button:hover { border-color: var(--ink); }
button.primary, .button.primary { background: var(--brand); border-color: var(--brand); color: var(--brand-ink); }
button.primary:hover { filter: brightness(1.08); } button.danger { color: var(--bad); border-color: var(--bad); background: transparent; }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; }
.notice { border-radius: 10px; padding: 12px 16px; background: var(--brand-soft); color: var(--good); font-weight: 600; overflow-wrap: anywhere; }
.notice.bad { background: var(--bad-soft); color: var(--bad); }
ul.plain { list-style: none; margin: 0; padding: 0; display: grid; }
ul.plain > li { display: flex; gap: 10px 14px; justify-content: space-between; align-items: center; padding: 10px 0; border-top: 1px solid var(--line); flex-wrap: wrap; }
ul.plain > li:first-child { border-top: 0; padding-top: 0; } ul.plain > li:last-child { padding-bottom: 0; }
li .main { min-width: 0; flex: 1 1 180px; display: grid; } li .main code, li .main span { overflow-wrap: anywhere; }
.amount { font-variant-numeric: tabular-nums; font-weight: 600; white-space: nowrap; }
details > summary { cursor: pointer; font-weight: 600; } details[open] > summary { margin-bottom: 12px; }
.permissions { margin: 0; padding: 0; list-style: none; display: grid; gap: 10px; }
.permissions li { display: flex; gap: 10px; } .permissions li::before { content: "✓"; color: var(--good); font-weight: 700; }
.pair { display: flex; align-items: center; gap: 12px; }
.mark { width: 44px; height: 44px; border-radius: 12px; background: var(--brand); color: var(--brand-ink); display: grid; place-items: center; font-weight: 700; font-size: 18px; flex: none; }
.mark.store { background: var(--ink); color: var(--card); }
.actions { display: flex; gap: 10px; flex-wrap: wrap; margin-top: 8px; } .actions > * { flex: 1 1 140px; }
hr { border: 0; border-top: 1px solid var(--line); margin: 0; width: 100%; }
@media (max-width: 860px) { .columns { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 520px) { main { padding: 20px 14px 48px; } .card { padding: 16px; } }
`;
