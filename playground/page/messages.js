import { avatar, byId, dots, el, nameOf } from "./dom.js";
import { draw, failed, head, onlyYou, usedBy } from "./message.js";

const GROUP_MILLISECONDS = 7 * 60_000; // Discord shows the author once for messages within seven minutes

/** The channel's messages in order, with their pending interactions. */
export class Messages {
  #list = byId("messages");
  #scroller = byId("scroller");
  #rows = new Map(); // message id -> {message, node, pressed, chosen, failure}

  /** `view` is the page's state; `act` has press, choose, menu, dismiss, remove and onCommand. */
  constructor(view, act) {
    this.view = view;
    this.act = act;
    const follow = new ResizeObserver(() => this.atEnd && (this.#scroller.scrollTop = this.#scroller.scrollHeight));
    follow.observe(this.#list);
    follow.observe(this.#scroller);
    let top = 0;
    this.#scroller.addEventListener("scroll", ({ target }) => {
      const isAtEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 60;
      // The list can grow after it was scrolled to its end, so only scrolling up stops following.
      if (isAtEnd || target.scrollTop < top) this.atEnd = isAtEnd;
      top = target.scrollTop;
    });
  }

  reset(messages) {
    this.#list.replaceChildren();
    this.#rows.clear();
    this.atEnd = true;
    messages.forEach((message) => this.#draw({ message }));
  }

  put(message) {
    this.#draw({ ...this.#rows.get(message.id), message, chosen: undefined, failure: undefined });
    const texts = [...this.#rows.get(message.id).node.querySelectorAll(".text, .embed-text")].map(({ textContent }) => textContent);
    byId("announcer").textContent = `${nameOf(message.author)}: ${texts.join(" ")}`.slice(0, 300);
  }

  remove(id) {
    this.#rows.get(id)?.node.remove();
    this.#rows.delete(id);
    this.#group();
  }

  /** Show a component as pending and disable the others; `pressed` undefined ends that. */
  pressing(id, pressed, failure, chosen) {
    const row = this.#rows.get(id);
    if (row) this.#draw({ ...row, pressed, failure, chosen: chosen ? { ...row.chosen, ...chosen } : failure ? undefined : row.chosen });
  }

  /** Show a sent command such as "/imagine"; return the function that ends it, with a reason if it failed. */
  sending(title) {
    const { app, user } = this.view;
    const state = el("div", { class: "text waiting" }, "Sending command", dots());
    const body = el("div", { class: "body" }, head({ ...app, bot: true }, Date.now()), state);
    const node = el("li", { class: "message ephemeral" }, usedBy(user, title), avatar(app), body);
    this.#list.append(node);
    this.atEnd = true;
    return (reason) => {
      if (reason === undefined) node.remove();
      else state.replaceWith(failed(reason), onlyYou(() => node.remove()));
      this.#group();
    };
  }

  #draw(row) {
    const node = draw(row, this.view, this.act);
    const focused = row.node?.contains(document.activeElement) && document.activeElement.dataset.key;
    if (row.node) row.node.replaceWith(node);
    else this.#list.append(node);
    this.#rows.set(row.message.id, { ...row, node });
    if (focused) node.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    this.#group();
  }

  #group() {
    const kind = (node) => `${node?.dataset.author} ${node?.classList.contains("ephemeral")}`;
    for (const node of this.#list.children) {
      const above = node.previousElementSibling;
      const isSoon = node.dataset.at - above?.dataset.at < GROUP_MILLISECONDS;
      node.classList.toggle("more", isSoon && kind(node) === kind(above) && !node.querySelector(".used"));
    }
  }
}
