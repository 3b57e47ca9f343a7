import { avatar, byId, el } from "./dom.js";

/** The list above the composer. The focused field keeps the focus; arrows mark an entry. */
export class Popup {
  #root = byId("popup");
  #note = byId("note");
  #list = byId("choices");
  #items = [];
  #marked = -1;
  #field;

  constructor() {
    this.#root.addEventListener("mousedown", (event) => event.preventDefault()); // keep the focus in the field
  }

  /** Show `items` of {label, detail, aside, user, choose}, a `note` about the focused option and its `problem`. */
  show(field, { note = [], problem, items = [], mark = -1 }) {
    this.hide();
    this.#field = field;
    this.#items = items;
    this.#note.replaceChildren(...note, ...(problem ? [el("span", { class: "problem", role: "alert" }, problem)] : []));
    this.#note.hidden = !note.length && !problem;
    this.#list.replaceChildren(...items.map((item, index) => this.#option(item, index)));
    this.#list.hidden = !items.length;
    this.#root.hidden = this.#note.hidden && this.#list.hidden;
    if (items.length) field.setAttribute("aria-expanded", "true");
    this.#mark(Math.min(mark, items.length - 1));
  }

  #option({ label, detail, aside, user, choose }, index) {
    return el("li", { role: "option", id: `choice-${index}`, "aria-selected": "false", onclick: choose },
      user && avatar(user, 24),
      el("div", {}, el("span", { class: "label" }, label), detail && el("small", {}, detail)),
      aside && el("small", {}, aside));
  }

  hide() {
    this.#root.hidden = true;
    this.#items = [];
    this.#marked = -1;
    if (this.#field?.hasAttribute("aria-expanded")) this.#field.setAttribute("aria-expanded", "false");
    this.#field?.removeAttribute("aria-activedescendant");
  }

  #mark(index) {
    this.#list.children[this.#marked]?.setAttribute("aria-selected", "false");
    this.#marked = index;
    const node = this.#list.children[index];
    if (!node || this.#list.hidden) return;
    node.setAttribute("aria-selected", "true");
    node.scrollIntoView({ block: "nearest" });
    this.#field.setAttribute("aria-activedescendant", node.id);
  }

  /** Move the mark; return false if there are no items. */
  walk(step) {
    const count = this.#items.length;
    if (count) this.#mark(this.#marked < 0 && step < 0 ? count - 1 : (this.#marked + step + count) % count);
    return count > 0;
  }

  get marked() {
    return this.#items[this.#marked];
  }
}
