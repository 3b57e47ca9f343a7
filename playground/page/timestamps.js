import { el } from "./dom.js";
import { currentLanguage } from "./words.js";

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

function relative(seconds) {
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(currentLanguage(), { numeric: "auto" }).format(Math.round(seconds / length), unit);
}

function render(node) {
  const at = Date.parse(node.dateTime);
  const exact = (style) => new Intl.DateTimeFormat(currentLanguage(), STYLES[style]).format(at);
  const { style } = node.dataset;
  const text = style === "R" ? relative(Math.round((at - Date.now()) / 1000)) : exact(style);
  if (node.textContent !== text) node.textContent = text;
  node.title = exact("F");
}

/** Render `<t:...:style>` in the viewer's time zone and language; undefined if it is out of range. */
export function timestamp(milliseconds, style = "f") {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return undefined;
  const node = el("time", { datetime: date.toISOString(), "data-style": style });
  render(node);
  return node;
}

setInterval(() => document.querySelectorAll('time[data-style="R"]').forEach(render), 1000);
