// The look of the tag. Hosts change it by the variables that begin with --pellucid-, and by ::part().

const CSS = `
:host { display: block; max-width: 100%; margin-block: 1em; container-type: inline-size; }
:host([hidden]) { display: none; }
:host([controls="none"]) { margin-block: 0; }

.frame {
  --page: var(--pellucid-background, #ffffff);
  --sunken: var(--pellucid-sunken, #f1f1ed);
  --line: var(--pellucid-border, #dfdfd8);
  --text: var(--pellucid-text, #17191a);
  --muted: var(--pellucid-muted, #585d5c);
  --accent: var(--pellucid-accent, #0a6e69);
  --soft: var(--pellucid-accent-soft, #dcefed);
  --danger: var(--pellucid-danger, #a3261b);
  --radius: var(--pellucid-radius, 12px);
  --gap: var(--pellucid-gap, 16px);
  color-scheme: light;
  position: relative;
  display: grid;
  gap: var(--gap);
  box-sizing: border-box;
  padding: var(--gap);
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--page);
  color: var(--text);
  font: 400 0.9375rem/1.45 var(--pellucid-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
  text-align: start;
  letter-spacing: normal;
  text-transform: none;
}
.dark {
  --page: var(--pellucid-background, #1b1e1f);
  --sunken: var(--pellucid-sunken, #0f1212);
  --line: var(--pellucid-border, #353b3d);
  --text: var(--pellucid-text, #eef1f0);
  --muted: var(--pellucid-muted, #a3adac);
  --accent: var(--pellucid-accent, #62d3c8);
  --soft: var(--pellucid-accent-soft, #17393a);
  --danger: var(--pellucid-danger, #ff9c8f);
  color-scheme: dark;
}
.none { padding: 0; border: 0; background: none; gap: 8px; }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.quiet { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.body { display: grid; gap: var(--gap); align-items: start; justify-items: start; min-width: 0; }
.pictures { display: grid; gap: 12px; width: 100%; min-width: 0; }
.several .pictures { grid-template-columns: repeat(auto-fit, minmax(min(100%, 140px), 1fr)); }
.panel { display: grid; gap: 6px; min-width: 0; margin: 0; align-content: start; }
.stage {
  position: relative;
  width: min(100%, var(--wide, 26rem));
  aspect-ratio: var(--aspect, 1);
  overflow: hidden;
  border-radius: calc(var(--radius) - 4px);
  background: var(--sunken);
  cursor: default;
  touch-action: manipulation;
}
.none .stage { border-radius: var(--radius); }
.several .stage { width: 100%; }
.stage > * { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: cover; display: block; }
.overlay { transition: opacity 120ms; }
.stage.bare .overlay, .stage.bare .under { opacity: 0 !important; }
.title { font-size: 0.875em; font-weight: 600; overflow-wrap: anywhere; }
.bar { inset: auto 0 0 !important; height: 3px !important; background: transparent; }
.bar::after {
  content: "";
  display: block;
  height: 100%;
  width: calc(100% * var(--done, 0));
  background: var(--accent);
  transition: width 200ms;
}
.bar.vague::after { width: 35%; animation: sweep 1.2s ease-in-out infinite alternate; }
@keyframes sweep { from { transform: translateX(-20%); } to { transform: translateX(205%); } }

.side { display: grid; gap: 14px; width: 100%; min-width: 0; align-content: start; }
.minimal .side { gap: 8px; max-width: var(--wide, 26rem); }
.group { display: grid; gap: 6px; min-width: 0; align-content: start; }
.label { padding: 0; font-size: 0.8125em; font-weight: 600; color: var(--muted); display: flex; justify-content: space-between; gap: 8px; }
.label output { font-variant-numeric: tabular-nums; font-weight: 400; }
.classes { display: grid; gap: 2px; }
.class {
  position: relative;
  display: grid;
  grid-template-columns: minmax(0, 1fr) auto;
  gap: 2px 10px;
  padding: 6px 10px;
  border-radius: 8px;
  cursor: pointer;
}
.class:hover { background: var(--sunken); }
.class:has(:checked) { background: var(--soft); }
.class input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: inherit; }
.class:has(:focus-visible), select:focus-visible, .range:focus-visible, summary:focus-visible, .again:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.share { font-variant-numeric: tabular-nums; color: var(--muted); }
.class:has(:checked) .name { font-weight: 600; }
.class:has(:checked) .share { color: inherit; }
.amount { grid-column: 1 / -1; height: 3px; border-radius: 2px; background: var(--line); overflow: hidden; }
.amount::after { content: ""; display: block; height: 100%; width: calc(100% * var(--share)); background: var(--accent); border-radius: 2px; }
.answer { display: flex; justify-content: space-between; gap: 10px; font-weight: 600; min-width: 0; }
.answer .share { font-weight: 400; }

select, .again {
  font: inherit;
  color: inherit;
  width: 100%;
  padding: 7px 10px;
  border: 1px solid var(--line);
  border-radius: 8px;
  background: var(--page);
}
.again { width: auto; justify-self: start; cursor: pointer; font-size: 0.9em; }
.again:hover { background: var(--sunken); }
.range { width: 100%; margin: 2px 0; accent-color: var(--accent); }

.legend { display: grid; gap: 3px; container-type: inline-size; width: min(100%, max(var(--wide, 26rem), 9rem)); font-size: 0.78em; color: var(--muted); font-variant-numeric: tabular-nums; }
.several .legend { width: min(100%, 26rem); }
.scale { width: 100%; height: 8px; border-radius: 4px; display: block; }
.ticks { position: relative; height: 1.4em; }
.tick { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.tick.first { transform: none; }
.tick.last { transform: translateX(-100%); }
.ends { display: flex; justify-content: space-between; gap: 8px; }

.made, .notes, .notice { margin: 0; font-size: 0.8125em; color: var(--muted); overflow-wrap: anywhere; }
.notes { padding-inline-start: 1.2em; display: grid; gap: 4px; }
details summary { cursor: pointer; font-size: 0.8125em; color: var(--muted); border-radius: 4px; }
details[open] summary { margin-bottom: 6px; }
.error { margin: 0; padding: 10px 12px; border-inline-start: 3px solid var(--danger); border-radius: 4px; background: var(--sunken); color: var(--text); overflow-wrap: anywhere; display: grid; gap: 8px; }
.fallback ::slotted(img) { display: block; max-width: 100%; height: auto; border-radius: calc(var(--radius) - 4px); }
.caption { font-size: 0.875em; color: var(--muted); }

@container (max-width: 10rem) { .tick:not(.first, .last) { display: none; } }
@container (min-width: 34rem) {
  .full:not(.several) .body { grid-template-columns: minmax(0, var(--wide, 26rem)) minmax(14rem, 1fr); }
  .full:not(.several) .body.tall { grid-template-columns: minmax(0, 1fr) minmax(14rem, 18rem); }
}
@container (min-width: 40rem) {
  .full.several .side { grid-template-columns: 1fr 1fr; }
}
@media (prefers-reduced-motion: reduce) {
  .overlay, .bar::after { transition: none; animation: none; }
}
@media print {
  .frame { border: 0; padding: 0; background: none; color: black; break-inside: avoid; --muted: #444; --text: black; }
  .hands, .bar, .again, details { display: none !important; }
  .class { padding: 0; }
  .class:not(:has(:checked)) { display: none; }
  .stage, .scale, .amount, .amount::after { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/** One sheet that all tags share; a policy of the host's against inline styles does not concern it. */
export function styleSheet() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
