import { attachments } from "./attachments.js";
import { menuCommands, ON_MESSAGE, ON_USER } from "./commands.js";
import { avatar, dots, el, fileLink, nameOf, webLink } from "./dom.js";
import { embed } from "./embeds.js";
import { layout } from "./layout.js";
import { markdown } from "./markdown.js";
import { menu } from "./menu.js";
import { preset, Select } from "./select.js";
import { SENT, timestamp } from "./timestamps.js";
import { t } from "./words.js";

const [EPHEMERAL, LOADING] = [1 << 6, 1 << 7];
const [BUTTON, FROM_MENU] = [2, 23]; // a component type, a message type
const [FORWARD, GIF] = [1, 4]; // types of a reference, of a sticker
const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };

/** The line above a command's response; `title` is "/imagine" or the name of a menu command. */
export function usedBy(user, title) {
  return el("p", { class: "used" }, avatar(user, 16), el("b", {}, nameOf(user)), ` ${t("used")} `, el("span", { class: "mention" }, title));
}

/** Return a message's text in one line. */
function excerpt({ content, embeds = [], attachments: files = [] }, context) {
  const [{ title, description } = {}] = embeds;
  const node = el("span", {}, markdown(content || title || description, context));
  node.querySelectorAll("[hidden]").forEach((spoiler) => spoiler.remove());
  node.querySelectorAll("blockquote, div, pre, h3, h4, h5, small").forEach((block) => block.after(" "));
  return node.textContent.replace(/\s+/g, " ").trim() || (files.length || embeds.length ? t("Click to see the attachment") : "…");
}

/** The line above a reply, with the message it replies to. */
function replyTo(original, context, find, jump) {
  if (!original) return el("p", { class: "used" }, el("i", {}, t("The original message was deleted.")));
  const author = find(original.author);
  const [name, text] = [nameOf(author), excerpt(original, context)];
  const quote = { type: "button", class: "quote", "aria-label": t("Replies to {name}: {text}", { name, text }), onclick: jump };
  return el("p", { class: "used" }, avatar(author, 16), el("b", {}, name), el("button", quote, text));
}

export function head(author, at) {
  const badge = author.bot && el("span", { class: "badge" }, t("APP"));
  return el("header", {}, el("span", { class: "author" }, nameOf(author)), badge, timestamp(at, SENT));
}

export function onlyYou(dismiss) {
  const button = el("button", { type: "button", class: "text", onclick: dismiss }, t("Dismiss message"));
  return el("p", { class: "only-you" }, `👁 ${t("Only you can see this")} · `, button);
}

export const failed = (reason) => el("p", { class: "failure", role: "alert" }, t(reason));

function text({ content, flags, author, edited_timestamp: editedAt }, context) {
  if (flags & LOADING) return el("div", { class: "text waiting" }, t("{name} is thinking", { name: nameOf(author) }), dots());
  const edited = editedAt && el("small", { class: "edited" }, ` (${t("edited")})`);
  return (content || edited) && el("div", { class: "text" }, markdown(content, context), edited);
}

function button({ style, label, emoji, url, custom_id: id, disabled }, pressed, press) {
  const content = [emoji?.name && el("span", {}, emoji.name), label && el("span", {}, label)];
  const look = { class: `button ${STYLES[style] ?? "secondary"}` };
  const arrow = el("span", { "aria-hidden": "true" }, "↗");
  if (style === 5) return el("a", { ...look, href: webLink(url), target: "_blank", rel: "noopener noreferrer" }, content, arrow);
  // aria-disabled instead of disabled while one is pending, so that the keyboard focus stays.
  const state = pressed ? { "aria-disabled": "true", "aria-busy": pressed === id && "true" } : { disabled, onclick: () => press(id) };
  return el("button", { type: "button", ...look, "data-key": id, ...state }, content, pressed === id && dots());
}

function select(part, row, view, choose) {
  const { pressed, chosen } = row;
  const id = part.custom_id;
  const state = pressed ? { "aria-disabled": "true", "aria-busy": pressed === id && "true", readonly: true } : {};
  const label = part.placeholder ?? t("Make a selection");
  return new Select(part, view, { label, chosen: chosen?.[id] ?? preset(part), state, done: (values) => choose(id, values) }).node;
}

function removal(remove) {
  return el("button", { type: "button", class: "icon", "aria-label": t("Delete message"), title: t("Delete message"), onclick: remove }, "🗑");
}

/** The actions for a public message, and for the member who asked for it; a right click opens the same menu. */
function tools(message, view, act) {
  const user = message.interaction_metadata?.user ?? message.author;
  const items = () => [
    ...menuCommands(view, ON_MESSAGE).map(({ name, label }) => ({ label, choose: () => act.menu(message, name) })),
    ...(user.bot ? [] : menuCommands(view, ON_USER)).map(({ name, label }) => ({ label: `${label}: @${nameOf(user)}`, choose: () => act.userMenu(user, name) })),
  ];
  const apps = menu(t("Apps"), items);
  const mayDelete = view.user.is_moderator || message.author.id === view.user.id;
  const node = el("div", { class: "tools" }, apps.node, mayDelete && removal(() => act.remove(message)));
  return { node, open: apps.open };
}

/** Name a message by author and time, and describe it by its texts, for those who hear it. */
function describe(node, { id }, author) {
  const texts = [...node.querySelectorAll(".text, .embed-text, .failure")];
  texts.forEach((each, index) => (each.id = `message-${id}-${index}`));
  node.setAttribute("aria-label", `${nameOf(author)}, ${node.querySelector("header time").textContent}`);
  node.setAttribute("aria-describedby", texts.map((each) => each.id).join(" "));
}

/** What is below a message's text. */
function content({ attachments: files, embeds = [], components = [], sticker_items: stickers = [] }, context, control) {
  return [
    attachments(files),
    embeds.map((one) => embed(one, context)),
    layout(components, context, control),
    stickers.length > 0 && el("div", { class: "stickers" }, stickers.map(({ id, name, format_type: format }) =>
      el("img", { src: fileLink(`https://media.discordapp.net/stickers/${id}.${format === GIF ? "gif" : "png"}`), alt: name }))),
  ];
}

/** Draw a message as `view.user` sees it; `row` is {message, original, pressed, chosen, failure}. */
export function draw(row, view, act) {
  const { message, original, pressed, failure } = row;
  const { author, interaction_metadata: used, message_reference: reference } = message;
  const known = [...view.members, { ...view.app, bot: true }];
  const find = (user) => known.find(({ id }) => id === user.id) ?? user;
  const context = { ...view, members: known, onCommand: act.onCommand };
  const isEphemeral = Boolean(message.flags & EPHEMERAL);
  const isMine = message.mentions?.some(({ id }) => id === view.user.id);
  const component = (one) => (one.type === BUTTON
    ? button(one, pressed, (id) => act.press(message, id))
    : select(one, row, view, (id, values) => act.choose(message, id, values)));
  const body = el("div", { class: "body" },
    head(author, message.timestamp),
    text(message, context),
    content(message, context, component),
    message.message_snapshots?.map(({ message: copy }) => el("div", { class: "forwarded" }, el("small", {}, `↪ ${t("Forwarded")}`), text({ ...copy, author }, context), content(copy, context, component))),
    failure && failed(failure),
    isEphemeral && onlyYou(() => act.dismiss(message)));
  const fromMenu = (name) => [ON_USER, ON_MESSAGE].flatMap((kind) => menuCommands(view, kind)).find((one) => one.name === name)?.label ?? name;
  const title = message.type === FROM_MENU ? fromMenu(used?.name) : `/${used?.name}`;
  const jump = () => act.jump({ channelId: reference.channel_id, messageId: reference.message_id });
  const above = used?.name ? usedBy(find(used.user), title) : reference && reference.type !== FORWARD && replyTo(original, context, find, jump);
  const more = !isEphemeral && tools(message, view, act);
  const node = el("li", { class: `message ${isEphemeral ? "ephemeral" : ""} ${isMine ? "pings" : ""}`, tabindex: "-1", "data-author": author.id, "data-at": Date.parse(message.timestamp) },
    above, avatar(find(author)), body, more.node);
  describe(node, message, author);
  if (more) node.addEventListener("contextmenu", (event) => event.target.closest("a:not(:has(img)), input, textarea") || (event.preventDefault(), more.open()));
  return node;
}
