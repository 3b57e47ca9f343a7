import { el, nameOf, webLink } from "./dom.js";
import { place } from "./links.js";
import { timestamp } from "./timestamps.js";
import { t } from "./words.js";

export const link = (url, ...label) => el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...label);
const pill = (...label) => el("span", { class: "mention" }, ...label);

function spoiler(children) {
  const shown = el("span", { hidden: true }, children);
  const cover = el("button", { type: "button", class: "spoiler", "aria-label": t("Spoiler, press to show") }, t("spoiler"));
  cover.addEventListener("click", () => {
    shown.hidden = false;
    cover.remove();
  });
  return [cover, shown];
}

function commandPill(name, { onCommand }) {
  return el("button", { type: "button", class: "mention", onclick: () => onCommand(name) }, `/${name}`);
}

/** A link to a message or channel; `followMessageLinks` keeps it on the page. */
function placePill(url, { channels }) {
  const { channelId, messageId } = place(url);
  const name = channels.find(({ id }) => id === channelId)?.name ?? t("unknown");
  return el("a", { class: "mention", href: url }, `#${name}`, messageId && " › 💬");
}

// Tried in this order at every position, like Discord. The patterns of bold, underline, italic and strike are
// those of the simple-markdown fork that Discord's client uses. `start` patterns match only at the start of a line.
const RULES = [
  [/^```(?:([\w+-]*)\n)?\n*([\s\S]+?)\n*```\n?/, ([, , code]) => el("pre", {}, el("code", {}, code))],
  [/^(#{1,3}) +([^\n]+)\n?/, ([, marks, text], go) => el(`h${marks.length + 2}`, {}, go(text)), "start"],
  [/^-# +([^\n]+)\n?/, ([, text], go) => el("small", { class: "subtext" }, go(text)), "start"],
  [/^>>> ([\s\S]+)/, ([, text], go) => el("blockquote", {}, go(text, true)), "start"],
  [/^(?:> [^\n]*(?:\n|$))+/, ([text], go) => el("blockquote", {}, go(text.replace(/^> /gm, "").replace(/\n$/, ""), true)), "start"],
  [/^ *[-*] +([^\n]+)\n?/, ([, text], go) => el("div", { class: "bullet" }, go(text)), "start"],
  [/^\\([^0-9A-Za-z\s])/u, ([, character]) => character],
  [/^(`+)(?!`)([\s\S]*?[^`])\1(?!`)/, ([, , code]) => el("code", {}, code)],
  [/^<t:(-?\d{1,13})(?::([tTdDfFR]))?>/, ([raw, at, style]) => timestamp(at * 1000, style) ?? raw],
  [/^<@!?(\d+)>/, ([, id], go, { members }) => pill("@", nameOf(members.find((one) => one.id === id)))],
  [/^<#(\d+)>/, ([, id], go, { channels }) => pill("#", channels.find((one) => one.id === id)?.name ?? t("unknown"))],
  [/^<@&(\d+)>/, ([, id], go, { guild }) => pill("@", (guild.roles.find((one) => one.id === id)?.name ?? t("role")).replace(/^@/, ""))],
  [/^<\/([^:\n]{1,100}):\d+>/, ([, name], go, context) => commandPill(name, context)],
  [/^<a?:(\w+):\d+>/, ([, name]) => `:${name}:`],
  [/^@(?:everyone|here)\b/, ([text]) => pill(text)],
  [/^<(https?:\/\/[^\s>]+)>/, ([, url]) => link(url, url)],
  [/^\[([^\]\n]+)\]\(<?(https?:\/\/[^\s<>)]+)>?(?: +"[^"\n]*")?\)/, ([, text, url], go) => link(url, go(text))],
  [/^https:\/\/(?:(?:ptb|canary)\.)?discord(?:app)?\.com\/channels\/(?:@me|\d+)\/\d+(?:\/\d+)?(?![\w/])/, ([url], go, context) => placePill(url, context)],
  [/^https?:\/\/[^\s<]+[^\s<.,:;"'!?\])*_~|]/, ([url]) => link(webLink(url), url)],
  [/^\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/, ([, text], go) => el("strong", {}, go(text))],
  [/^__((?:\\[\s\S]|[^\\])+?)__(?!_)/, ([, text], go) => el("u", {}, go(text))],
  [/^\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)/, ([, text], go) => el("em", {}, go(text))],
  [/^_((?:__|\\[\s\S]|[^\\_])+?)_(?!\w)/, ([, text], go) => el("em", {}, go(text))],
  [/^~~(?=\S)([\s\S]*?\S)~~(?!~)/, ([, text], go) => el("s", {}, go(text))],
  [/^\|\|([\s\S]+?)\|\|/, ([, text], go) => spoiler(go(text))],
];
const PLAIN = /^(?:[0-9A-Za-z\u00c0-\u1fff]+?(?=https?:\/\/)|[0-9A-Za-z\u00c0-\u1fff]+|[^\S\n]+|[\s\S])/u;

/** Render Discord's markdown as nodes. `context` has members, channels, guild and onCommand. */
export function markdown(text, context, isBlock = true) {
  const nodes = [];
  let atStart = isBlock;
  const go = (inner, innerIsBlock = false) => markdown(inner, context, innerIsBlock);
  for (let rest = text ?? ""; rest; ) {
    const rule = RULES.find(([pattern, , where]) => (!where || atStart) && pattern.test(rest));
    const match = (rule?.[0] ?? PLAIN).exec(rest);
    const made = rule ? rule[1](match, go, context) : match[0];
    if (typeof made === "string" && typeof nodes.at(-1) === "string") nodes.push(nodes.pop() + made);
    else nodes.push(...[made].flat());
    rest = rest.slice(match[0].length);
    atStart = isBlock && (match[0].endsWith("\n") || rule?.[2] === "start");
  }
  return nodes;
}
