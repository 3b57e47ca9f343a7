import { now } from "./clock.js";
import { avatar, byId, dots, el, nameOf } from "./dom.js";
import { draw, failed, head, onlyYou, usedBy } from "./message.js";
import { t } from "./words.js";

const GROUP_MILLISECONDS = 7 * 60_000; // Discord shows the author once for messages within seven minutes
const HIGHLIGHT_MILLISECONDS = 2500;

/** The channel's messages in order, with their pending interactions. */
export class Messages {
  #list = byId("messages");
  #scroller = byId("scroller");
  #rows = new Map(); // message id -> {message, node, pressed, chosen, failure}
  #isAtEnd = true;

  /** `view` is the page's state; `act` has press, choose, menu, userMenu, dismiss, remove, jump and onCommand. */
  constructor(view, act) {
    this.view = view;
    this.act = act;
    const follow = new ResizeObserver(() => this.#isAtEnd && this.#scrollToEnd());
    follow.observe(this.#list);
    follow.observe(this.#scroller);
    let top = 0;
    this.#scroller.addEventListener("scroll", ({ target }) => {
      const isAtEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 60;
      // The list can grow after it was scrolled to its end, so only scrolling up stops following.
      if (isAtEnd || target.scrollTop < top) this.atEnd = isAtEnd;
      top = target.scrollTop;
    });
    this.#list.addEventListener("keydown", (event) => this.#walk(event));
    byId("present").addEventListener("click", () => {
      this.atEnd = true;
      this.#scrollToEnd();
      byId("text").focus();
    });
  }

  /** Whether new messages scroll into view. */
  set atEnd(isAtEnd) {
    this.#isAtEnd = isAtEnd;
    byId("present").hidden = isAtEnd;
  }

  #scrollToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  reset(messages) {
    this.#list.replaceChildren();
    this.#rows.clear();
    this.atEnd = true;
    messages.forEach((message) => this.#draw({ message }));
  }

  /** Draw everything again, in another language. */
  redraw() {
    for (const row of this.#rows.values()) this.#draw(row);
  }

  put(message) {
    this.#draw({ ...this.#rows.get(message.id), message, chosen: undefined, failure: undefined });
    this.#replies(message.id).forEach((row) => this.#draw(row));
    const texts = [...this.#rows.get(message.id).node.querySelectorAll(".text, .embed-text")].map(({ textContent }) => textContent);
    byId("announcer").textContent = `${nameOf(message.author)}: ${texts.join(" ")}`.slice(0, 300);
  }

  remove(id) {
    this.#rows.get(id)?.node.remove();
    this.#rows.delete(id);
    this.#replies(id).forEach((row) => this.#draw({ ...row, message: { ...row.message, referenced_message: null } }));
    this.#group();
  }

  #replies(id) {
    return [...this.#rows.values()].filter(({ message }) => message.message_reference?.message_id === id);
  }

  /** Scroll to a message, focus it and highlight it for a moment; return false if it isn't here. */
  show(id) {
    const node = this.#rows.get(id)?.node;
    if (!node) return false;
    this.atEnd = false;
    this.#focus(node, "center");
    node.classList.add("found");
    setTimeout(() => node.classList.remove("found"), HIGHLIGHT_MILLISECONDS);
    return true;
  }

  /** Show a component as pending and disable the others; `pressed` undefined ends that. */
  pressing(id, pressed, failure, chosen) {
    const row = this.#rows.get(id);
    if (row) this.#draw({ ...row, pressed, failure, chosen: chosen ? { ...row.chosen, ...chosen } : failure ? undefined : row.chosen });
  }

  /** Show a sent command such as "/imagine"; return the function that ends it, with a reason if it failed. */
  sending(title) {
    const { app, user } = this.view;
    return this.#pending({ ...app, bot: true }, "ephemeral", usedBy(user, title), [t("Sending command"), dots()]);
  }

  /** Show a sent text; return the function that ends it, with a reason if it failed. */
  posting(content) {
    return this.#pending(this.view.user, "", undefined, [content]);
  }

  #pending(author, kind, above, content) {
    const state = el("div", { class: "text waiting" }, content);
    const body = el("div", { class: "body" }, head(author, now()), state);
    const node = el("li", { class: `message ${kind}`, tabindex: "-1" }, ...[above].filter(Boolean), avatar(author), body);
    this.#list.append(node);
    this.atEnd = true;
    return (reason) => {
      if (reason === undefined) node.remove();
      else state.replaceWith(failed(reason), onlyYou(() => node.remove()));
      this.#group();
    };
  }

  #draw(row) {
    const { message, node: before } = row;
    const original = this.#rows.get(message.message_reference?.message_id)?.message ?? message.referenced_message;
    const node = draw({ ...row, original }, this.view, this.act);
    const focused = before?.contains(document.activeElement) && document.activeElement.dataset.key;
    const isFocused = before === document.activeElement;
    if (before) before.replaceWith(node);
    else this.#list.append(node);
    this.#rows.set(message.id, { ...row, node });
    if (isFocused) this.#focus(node);
    else if (focused) node.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    this.#group();
  }

  /** Join messages of one author, and keep one of them in the tab order. */
  #group() {
    const kind = (node) => `${node?.dataset.author} ${node?.classList.contains("ephemeral")}`;
    const all = [...this.#list.children];
    for (const node of all) {
      const above = node.previousElementSibling;
      const isSoon = node.dataset.at - above?.dataset.at < GROUP_MILLISECONDS;
      node.classList.toggle("more", isSoon && kind(node) === kind(above) && !node.querySelector(".used"));
    }
    const stop = all.find((node) => node === document.activeElement) ?? all.at(-1);
    all.forEach((node) => (node.tabIndex = node === stop ? 0 : -1));
  }

  #focus(node, block = "nearest") {
    for (const each of this.#list.children) each.tabIndex = each === node ? 0 : -1;
    node.focus({ preventScroll: true });
    node.scrollIntoView({ block });
  }

  /** Move between messages with the arrow keys, Home and End. */
  #walk(event) {
    const { key, target, defaultPrevented } = event;
    if (defaultPrevented || target.matches("input, textarea")) return;
    const all = [...this.#list.children];
    const at = all.indexOf(target.closest(".message"));
    const next = all[{ ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[key]];
    if (key === "Escape") byId("text").focus();
    else if (next) this.#focus(next);
    else return;
    event.preventDefault();
  }
}
