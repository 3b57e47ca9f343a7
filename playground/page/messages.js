import { attachments } from "./attachments.js";
import { avatar, byId, dots, el, nameOf, webLink } from "./dom.js";
import { embed } from "./embeds.js";
import { markdown } from "./markdown.js";
import { timestamp } from "./timestamps.js";

const EPHEMERAL = 1 << 6;
const LOADING = 1 << 7;
const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };
const SAME_BREATH = 7 * 60_000; // Discord shows the author once for what they say within seven minutes

export const isEphemeral = ({ flags = 0 }) => (flags & EPHEMERAL) !== 0;

/** The line above a command's answer. */
function usedBy(user, name) {
  return el("p", { class: "used" }, avatar(user, 16), el("b", {}, nameOf(user)), " used ", el("span", { class: "mention" }, `/${name}`));
}

function head(author, at) {
  const badge = author.bot && el("span", { class: "badge" }, "APP");
  return el("header", {}, el("span", { class: "author" }, nameOf(author)), badge, timestamp(at, "t"));
}

function onlyYou(dismiss) {
  const button = el("button", { type: "button", class: "text", onclick: dismiss }, "Dismiss message");
  return el("p", { class: "only-you" }, "👁 Only you can see this · ", button);
}

const failed = (reason) => el("p", { class: "failure", role: "alert" }, reason);

/** The channel's messages, in order, with what is under way on each. */
export class Messages {
  #list = byId("messages");
  #scroller = byId("scroller");
  #rows = new Map(); // message id -> {message, node, pressed: custom_id, failure}

  /** `view` is what the page knows; `act` has press, dismiss, remove and onCommand. */
  constructor(view, act) {
    this.view = view;
    this.act = act;
    new ResizeObserver(() => this.#follow()).observe(this.#list);
    this.#scroller.addEventListener("scroll", () => (this.atEnd = this.#distance() < 60));
  }

  #distance = () => this.#scroller.scrollHeight - this.#scroller.scrollTop - this.#scroller.clientHeight;

  #follow() {
    if (this.atEnd) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  reset(messages) {
    this.#list.replaceChildren();
    this.#rows.clear();
    this.atEnd = true;
    messages.forEach((message) => this.put(message, { quietly: true }));
  }

  put(message, { quietly = false } = {}) {
    const { failure } = this.#rows.get(message.id) ?? {};
    this.#draw({ ...this.#rows.get(message.id), message, failure: quietly ? failure : undefined });
    if (!quietly) this.#announce(message);
  }

  remove(id) {
    this.#rows.get(id)?.node.remove();
    this.#rows.delete(id);
    this.#group();
  }

  /** A button shows that it waits, and its neighbours cannot be pressed; undefined ends it. */
  pressing(id, customId, failure) {
    const row = this.#rows.get(id);
    if (row) this.#draw({ ...row, pressed: customId, failure });
  }

  /** A command that was sent; the returned function ends it, with a reason if it failed. */
  sending(name) {
    const { app, user } = this.view;
    const state = el("div", { class: "text" }, el("span", { class: "waiting" }, "Sending command", dots()));
    const body = el("div", { class: "body" }, head({ ...app, bot: true }, Date.now()), state);
    const node = el("li", { class: "message ephemeral" }, usedBy(user, name), avatar(app), body);
    this.#list.append(node);
    this.atEnd = true;
    this.#group();
    return (reason) => {
      if (reason === undefined) node.remove();
      else state.replaceWith(failed(reason), onlyYou(() => node.remove()));
    };
  }

  #draw(row) {
    const node = this.#element(row);
    const focused = row.node?.contains(document.activeElement) && document.activeElement.dataset.key;
    if (row.node) row.node.replaceWith(node);
    else this.#list.append(node);
    this.#rows.set(row.message.id, { ...row, node });
    if (focused) node.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    this.#group();
  }

  #element({ message, pressed, failure }) {
    const { app, people, user } = this.view;
    const { author, interaction_metadata: used } = message;
    const known = [app, ...people].find(({ id }) => id === author.id);
    const classes = ["message", isEphemeral(message) && "ephemeral", message.mentions?.some(({ id }) => id === user.id) && "pings"];
    const data = { class: classes.filter(Boolean).join(" "), "data-author": author.id, "data-at": Date.parse(message.timestamp) };
    const person = used && (people.find(({ id }) => id === used.user.id) ?? used.user);
    return el("li", data,
      used?.name && usedBy(person, used.name),
      avatar(known ?? author),
      this.#body(message, pressed, failure),
      user.is_manager && !isEphemeral(message) && this.#removal(message));
  }

  #body(message, pressed, failure) {
    const isLoading = ((message.flags ?? 0) & LOADING) !== 0;
    const thinking = isLoading && el("span", { class: "waiting" }, nameOf(message.author), " is thinking", dots());
    const edited = message.edited_timestamp && !isLoading && el("small", { class: "edited" }, " (edited)");
    const words = [thinking, markdown(message.content, this.#context), edited];
    return el("div", { class: "body" },
      head(message.author, message.timestamp),
      (thinking || message.content || edited) && el("div", { class: "text" }, words),
      attachments(message.attachments),
      message.embeds?.map((one) => embed(one, this.#context)),
      message.components?.map((row) => el("div", { class: "row" }, row.components.map((one) => this.#button(message, one, pressed)))),
      failure && failed(failure),
      isEphemeral(message) && onlyYou(() => this.act.dismiss(message)));
  }

  get #context() {
    return { ...this.view, people: [...this.view.people, this.view.app], onCommand: this.act.onCommand };
  }

  #button(message, { style, label, emoji, url, custom_id: customId, disabled }, pressed) {
    const words = [emoji?.name && el("span", {}, emoji.name), label && el("span", {}, label)];
    const look = `button ${STYLES[style] ?? "secondary"}`;
    if (style === 5) return el("a", { class: look, href: webLink(url), target: "_blank", rel: "noopener noreferrer" }, words, " ↗");
    const isPressed = pressed === customId;
    const attributes = { type: "button", class: look, "data-key": customId, disabled, onclick: () => this.act.press(message, customId) };
    // aria-disabled and not disabled while it waits: the keyboard's focus stays where it is.
    if (pressed !== undefined) Object.assign(attributes, { "aria-disabled": "true", "aria-busy": isPressed && "true", onclick: undefined });
    return el("button", attributes, words, isPressed && dots());
  }

  #removal(message) {
    const attributes = { type: "button", class: "icon", "aria-label": "Delete message", title: "Delete message" };
    return el("div", { class: "tools" }, el("button", { ...attributes, onclick: () => this.act.remove(message) }, "🗑"));
  }

  #group() {
    let above;
    for (const node of this.#list.children) {
      const { author, at } = node.dataset;
      const isMore = author && author === above?.dataset.author && at - above.dataset.at < SAME_BREATH && !node.querySelector(".used")
        && node.classList.contains("ephemeral") === above.classList.contains("ephemeral");
      node.classList.toggle("more", Boolean(isMore));
      above = node;
    }
  }

  #announce(message) {
    const { node } = this.#rows.get(message.id);
    const texts = [...node.querySelectorAll(".text, .embed .words")].map(({ textContent }) => textContent);
    byId("announcer").textContent = `${nameOf(message.author)}: ${texts.join(" ")}`.slice(0, 300);
  }
}
