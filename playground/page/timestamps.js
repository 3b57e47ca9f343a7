import { now } from "./clock.js";
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
export const SENT = "sent"; // not one of Discord's styles
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

function relative(seconds) {
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(currentLanguage(), { numeric: "auto" }).format(Math.round(seconds / length), unit);
}

/** Return the time of a message: only the time today, "yesterday" before it, else the date too. */
function sent(at, exact) {
  const days = Math.round((new Date(now()).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days > 1) return `${exact("d")} ${exact("t")}`;
  return days === 1 ? `${relative(-86_400)} ${exact("t")}` : exact("t");
}

function render(node) {
  const at = Date.parse(node.dateTime);
  const exact = (style) => new Intl.DateTimeFormat(currentLanguage(), STYLES[style]).format(at);
  const { style } = node.dataset;
  const text = { R: () => relative(Math.round((at - now()) / 1000)), [SENT]: () => sent(at, exact) }[style]?.() ?? exact(style);
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

/** Render all again, when the time or the language has changed. */
export const refreshTimes = () => document.querySelectorAll("time").forEach(render);

setInterval(() => document.querySelectorAll('time[data-style="R"]').forEach(render), 1000);
