import { attachments } from "./attachments.js";
import { avatar, dots, el, nameOf, webLink } from "./dom.js";
import { embed } from "./embeds.js";
import { markdown } from "./markdown.js";
import { timestamp } from "./timestamps.js";

const [EPHEMERAL, LOADING] = [1 << 6, 1 << 7];
const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };

/** The line above a command's answer. */
export function usedBy(user, name) {
  return el("p", { class: "used" }, avatar(user, 16), el("b", {}, nameOf(user)), " used ", el("span", { class: "mention" }, `/${name}`));
}

export function head(author, at) {
  const badge = author.bot && el("span", { class: "badge" }, "APP");
  return el("header", {}, el("span", { class: "author" }, nameOf(author)), badge, timestamp(at, "t"));
}

export function onlyYou(dismiss) {
  const button = el("button", { type: "button", class: "text", onclick: dismiss }, "Dismiss message");
  return el("p", { class: "only-you" }, "👁 Only you can see this · ", button);
}

export const failed = (reason) => el("p", { class: "failure", role: "alert" }, reason);

function text({ content, flags, author, edited_timestamp: editedAt }, context) {
  if (flags & LOADING) return el("div", { class: "text waiting" }, nameOf(author), " is thinking", dots());
  const edited = editedAt && el("small", { class: "edited" }, " (edited)");
  return (content || edited) && el("div", { class: "text" }, markdown(content, context), edited);
}

function button({ style, label, emoji, url, custom_id: id, disabled }, pressed, press) {
  const words = [emoji?.name && el("span", {}, emoji.name), label && el("span", {}, label)];
  const look = { class: `button ${STYLES[style] ?? "secondary"}` };
  const arrow = el("span", { "aria-hidden": "true" }, "↗");
  if (style === 5) return el("a", { ...look, href: webLink(url), target: "_blank", rel: "noopener noreferrer" }, words, arrow);
  // aria-disabled and not disabled while one waits: the keyboard's focus stays where it is.
  const state = pressed ? { "aria-disabled": "true", "aria-busy": pressed === id && "true" } : { disabled, onclick: () => press(id) };
  return el("button", { type: "button", ...look, "data-key": id, ...state }, words, pressed === id && dots());
}

function removal(remove) {
  const attributes = { type: "button", class: "icon", "aria-label": "Delete message", title: "Delete message", onclick: remove };
  return el("div", { class: "tools" }, el("button", attributes, "🗑"));
}

/** A message as `view.user` sees it. `pressed` is the custom_id of a button that waits, `failure` why the last press failed. */
export function draw({ message, pressed, failure }, view, act) {
  const { author, interaction_metadata: used, components = [], embeds = [] } = message;
  const known = [...view.people, { ...view.app, bot: true }];
  const find = (user) => known.find(({ id }) => id === user.id) ?? user;
  const context = { ...view, people: known, onCommand: act.onCommand };
  const isEphemeral = Boolean(message.flags & EPHEMERAL);
  const isMine = message.mentions?.some(({ id }) => id === view.user.id);
  const body = el("div", { class: "body" },
    head(author, message.timestamp),
    text(message, context),
    attachments(message.attachments),
    embeds.map((one) => embed(one, context)),
    components.map((row) => el("div", { class: "row" }, row.components.map((one) => button(one, pressed, (id) => act.press(message, id))))),
    failure && failed(failure),
    isEphemeral && onlyYou(() => act.dismiss(message)));
  return el("li", { class: `message ${isEphemeral ? "ephemeral" : ""} ${isMine ? "pings" : ""}`, "data-author": author.id, "data-at": Date.parse(message.timestamp) },
    used?.name && usedBy(find(used.user), used.name), avatar(find(author)), body,
    view.user.is_manager && !isEphemeral && removal(() => act.remove(message)));
}
