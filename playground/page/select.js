import { avatar, el } from "./dom.js";
import { t } from "./words.js";

const [STRING, USER, ROLE, MENTIONABLE, CHANNEL] = [3, 5, 6, 7, 8];
let lists = 0;

/** Return a select's options as {value, label, detail, user}; `user` has an avatar. */
function offered({ type, options = [], channel_types: kinds }, { members, guild, channels }) {
  if (type === STRING) {
    return options.map(({ value, label, description, emoji }) => ({ value, label: [emoji?.name, label].filter(Boolean).join(" "), detail: description }));
  }
  const found = [];
  if (type === USER || type === MENTIONABLE) found.push(...members.map((one) => ({ value: one.id, label: one.global_name, detail: one.username, user: one })));
  if (type === ROLE || type === MENTIONABLE) found.push(...guild.roles.map(({ id, name }) => ({ value: id, label: `@${name.replace(/^@/, "")}` })));
  const isHere = (one) => one.guild_id === guild.id && (!kinds || kinds.includes(one.type));
  if (type === CHANNEL) found.push(...channels.filter(isHere).map(({ id, name }) => ({ value: id, label: `#${name}` })));
  return found;
}

/** Return the default values of a select. */
export function preset({ options = [], default_values: values = [] }) {
  return [...options.filter((one) => one.default).map(({ value }) => value), ...values.map(({ id }) => id)];
}

/** A searchable list: a single choice is sent at once, several when the list closes; Escape discards them. */
export class Select {
  #items;
  #before;
  #marked = 0;

  /** `part` is the component, `label` its name, `chosen` its values; `done(values)` gets the chosen values. */
  constructor(part, view, { label, chosen = preset(part), state = {}, done = () => {} }) {
    this.part = part;
    this.done = done;
    this.values = chosen;
    this.#items = offered(part, view);
    const id = `list-${++lists}`;
    const field = { role: "combobox", type: "text", autocomplete: "off", "aria-label": label, "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": "false", "aria-describedby": `${id}-chosen`, "data-key": part.custom_id };
    this.field = el("input", { ...field, disabled: part.disabled, ...state });
    this.chosen = el("span", { class: "chosen", id: `${id}-chosen` });
    this.list = el("ul", { role: "listbox", id, "aria-label": label, "aria-multiselectable": String(this.#isMany), hidden: true });
    this.node = el("div", { class: this.#isMany ? "select" : "select one" }, el("div", { class: "box" }, this.chosen, this.field, el("span", { "aria-hidden": "true" }, "⌄")), this.list);
    this.#listen();
    this.#render();
  }

  get #isMany() {
    return (this.part.max_values ?? 1) > 1;
  }

  get #matches() {
    const typed = this.field.value.trim().toLowerCase();
    return this.#items.filter(({ label, detail }) => [label, detail ?? ""].some((text) => text.toLowerCase().includes(typed)));
  }

  #listen() {
    const box = this.node.querySelector(".box");
    box.addEventListener("mousedown", (event) => event.target === this.field || event.preventDefault());
    box.addEventListener("click", () => (this.field.focus(), this.#open()));
    this.field.addEventListener("input", () => (this.#open(), this.#mark(0)));
    this.field.addEventListener("keydown", (event) => !event.isComposing && this.#key(event));
    this.field.addEventListener("blur", () => this.#close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // keep the focus in the field
    this.list.addEventListener("click", ({ target }) => this.#toggle(target.closest("[role=option]")?.dataset.value));
  }

  #key(event) {
    const isOpen = !this.list.hidden;
    const count = this.#matches.length;
    const actions = {
      ArrowDown: () => (isOpen ? this.#mark((this.#marked + 1) % count) : this.#open()),
      ArrowUp: () => (isOpen ? this.#mark((this.#marked + count - 1) % count) : this.#open()),
      Enter: () => (isOpen ? this.#toggle(this.#matches[this.#marked]?.value) : this.#open()),
      Escape: isOpen && (() => this.#close({ isAccepted: false })),
      Backspace: !this.field.value && this.#isMany && this.values.length && (() => (this.#open(), this.#toggle(this.values.at(-1)))),
    };
    if (!actions[event.key] || this.field.getAttribute("aria-disabled")) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  }

  #open() {
    if (!this.list.hidden || this.field.disabled || this.field.getAttribute("aria-disabled")) return;
    this.#before = this.values;
    this.list.hidden = false;
    this.field.setAttribute("aria-expanded", "true");
    this.#mark(0);
  }

  #close({ isAccepted = true } = {}) {
    if (this.list.hidden || !this.node.isConnected) return;
    const { min_values: least = 1 } = this.part;
    const isChanged = this.values.length !== this.#before.length || this.values.some((value) => !this.#before.includes(value));
    const isSent = isAccepted && isChanged && (this.values.length >= least || this.part.required === false);
    if (!isSent) this.values = this.#before;
    this.list.hidden = true;
    this.field.value = "";
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
    this.#render();
    if (isSent) this.done(this.values);
  }

  #toggle(value) {
    if (value === undefined) return;
    const { min_values: least = 1, max_values: most = 1, required } = this.part;
    const has = this.values.includes(value);
    if (!this.#isMany) {
      this.values = has && (least === 0 || required === false) ? [] : [value];
      this.#close();
    } else if (has || this.values.length < most) {
      this.values = has ? this.values.filter((one) => one !== value) : [...this.values, value];
      this.field.value = "";
      this.#render();
    }
  }

  #mark(index) {
    this.#marked = index;
    this.#render();
  }

  #render() {
    const chosen = this.values.map((value) => this.#items.find((one) => one.value === value) ?? { label: t("unknown") });
    this.chosen.replaceChildren(...chosen.map(({ label, user }) => el("span", { class: "token" }, user && avatar(user, 18), label)));
    this.field.placeholder = chosen.length ? "" : this.part.placeholder ?? t("Make a selection");
    if (this.list.hidden) return;
    const isFull = this.#isMany && this.values.length >= this.part.max_values;
    const matches = this.#matches;
    this.list.replaceChildren(...matches.map(({ value, label, detail, user }, index) => {
      const isChosen = this.values.includes(value);
      const attributes = { role: "option", id: `${this.list.id}-${index}`, "data-value": value, "aria-selected": String(isChosen), "aria-disabled": isFull && !isChosen && "true", class: index === this.#marked && "marked" };
      return el("li", attributes, user && avatar(user, 24), el("span", {}, label, detail && el("small", {}, detail)), isChosen && el("span", { class: "check", "aria-hidden": "true" }, "✓"));
    }));
    if (!matches.length) this.list.replaceChildren(el("li", { role: "none", class: "nothing" }, t("No matches.")));
    const marked = this.list.children[this.#marked];
    if (matches.length) this.field.setAttribute("aria-activedescendant", marked.id);
    marked?.scrollIntoView({ block: "nearest" });
  }
}
