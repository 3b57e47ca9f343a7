import { Chip } from "./chip.js";
import { entries, localized } from "./commands.js";
import { byId, el } from "./dom.js";
import { Popup } from "./popup.js";
import { t } from "./words.js";

const LONGEST_MESSAGE = 2000;

/** Discord's composer: "/" lists the commands, a chosen command asks for its options, any other text is a message. */
export class Composer {
  #form = byId("composer");
  #fields = byId("fields");
  #text = byId("text");
  #popup = new Popup();
  #command;
  #chips = [];

  /** `view` is the page's state; `run(name, options)` gets a complete command, `say(content)` a message. */
  constructor(view, { run, say }) {
    this.view = view;
    this.run = run;
    this.say = say;
    this.#form.addEventListener("submit", (event) => (event.preventDefault(), this.#submit()));
    this.#form.addEventListener("keydown", (event) => !event.isComposing && this.#key(event));
    this.#form.addEventListener("input", () => this.#input());
    this.#form.addEventListener("focusin", () => this.#suggest());
    this.#form.addEventListener("focusout", () => this.#popup.hide());
    byId("cancel").addEventListener("click", () => this.cancel());
    this.#fields.addEventListener("click", ({ target }) => target === this.#fields && this.#text.focus());
  }

  #input() {
    this.#focused?.mark(undefined);
    if (!this.#command) this.#acceptTyped();
    this.#suggest();
  }

  /** Recognize "/imagine a fox", typed or pasted, as soon as the name is complete. */
  #acceptTyped() {
    const typed = this.#text.value;
    const command = this.#entries.find(({ title }) => typed.startsWith(`/${title} `));
    if (!command) return;
    this.begin(command.name);
    this.#focused?.set(typed.slice(command.title.length + 2));
  }

  get #entries() {
    return entries(this.view.commands, this.view.locale);
  }

  get #focused() {
    return document.activeElement?.closest?.(".chip")?.chip;
  }

  /** Discard the input. */
  cancel({ focus = true } = {}) {
    this.#command = undefined;
    this.#chips = [];
    this.#text.value = "";
    this.#redraw();
    if (focus) this.#text.focus();
    this.#suggest();
  }

  /** Discard a command that was removed or changed. */
  refresh() {
    const now = this.#entries.find(({ name }) => name === this.#command?.name);
    if (this.#command && JSON.stringify(now?.options) !== JSON.stringify(this.#command.options)) this.cancel({ focus: false });
    this.#redraw();
    this.#suggest();
  }

  /** Start the command `name`, if this member can use it. */
  begin(name) {
    const command = this.#entries.find((one) => one.name === name);
    if (!command) return;
    this.#command = command;
    this.#chips = [];
    this.#text.value = "";
    command.options.filter(({ required }) => required).forEach((option) => this.#add(option));
    this.#redraw();
    this.#next();
  }

  #add(option) {
    const chip = new Chip(option, this.view, { remove: () => this.#remove(chip) });
    this.#chips.push(chip);
    this.#text.value = "";
    this.#redraw();
    return chip;
  }

  #remove(chip) {
    const before = this.#chips[this.#chips.indexOf(chip) - 1];
    this.#chips = this.#chips.filter((one) => one !== chip);
    this.#redraw();
    (before?.field ?? this.#text).focus();
  }

  #redraw() {
    const { channel } = this.view;
    byId("command").textContent = this.#command ? `/${this.#command.title}` : "";
    byId("cancel").hidden = !this.#command;
    this.#fields.querySelectorAll(".chip").forEach((node) => this.#chips.includes(node.chip) || node.remove());
    this.#chips.forEach(({ node }) => node.isConnected || this.#text.before(node));
    const left = this.#optional.length;
    const label = this.#command ? (left ? t("+{count} optional", { count: left }) : "") : t("Message #{channel}", { channel: channel?.name ?? "" });
    this.#text.placeholder = label;
    this.#text.setAttribute("aria-label", this.#command ? t("Add an option") : label);
  }

  get #optional() {
    return (this.#command?.options ?? []).filter((option) => !this.#chips.some((chip) => chip.option === option));
  }

  /** Focus the first empty required field, else the end. */
  #next() {
    const empty = this.#chips.find(({ option, field }) => option.required && !field.value.trim());
    (empty?.field ?? this.#text).focus();
    this.#suggest();
  }

  #suggest() {
    const chip = this.#focused;
    if (chip) this.#popup.show(chip.field, chip.help((label) => (chip.set(label), this.#next())));
    else if (document.activeElement !== this.#text) this.#popup.hide();
    else this.#popup.show(this.#text, this.#command ? this.#offerOptions() : this.#offerCommands());
  }

  #offerCommands() {
    const typed = this.#text.value.trimStart();
    if (!typed) return {};
    if (!typed.startsWith("/")) return { problem: typed.length > LONGEST_MESSAGE ? t("A message has at most {most} characters.", { most: LONGEST_MESSAGE }) : undefined };
    const wanted = typed.slice(1).trim().toLowerCase();
    const matches = this.#entries.filter(({ name, title }) => [name, title].some((one) => one.toLowerCase().includes(wanted)));
    const best = matches.sort((one, other) => other.title.startsWith(wanted) - one.title.startsWith(wanted));
    const app = this.view.app.name;
    const items = best.map(({ name, title, description }) => ({ label: `/${title}`, detail: description, aside: app, choose: () => this.begin(name) }));
    return { note: items.length ? [] : [t("No matching command.")], items, mark: 0 };
  }

  #offerOptions() {
    const { locale } = this.view;
    const typed = this.#text.value.trim().toLowerCase();
    const named = this.#optional.map((option) => ({ option, label: localized(option, "name", locale) }));
    const items = named.filter(({ label }) => label.toLowerCase().includes(typed)).map(({ option, label }) => ({
      label, aside: localized(option, "description", locale), choose: () => this.#add(option).field.focus(),
    }));
    const problem = typed && !items.length ? t("No such option.") : undefined;
    return { note: items.length ? [el("b", {}, t("Optional"))] : [], problem, items, mark: typed ? 0 : -1 };
  }

  #key(event) {
    const act = { ArrowDown: this.#arrow, ArrowUp: this.#arrow, Enter: this.#enter, Tab: this.#tab, Escape: this.#escape, Backspace: this.#backspace }[event.key];
    if (act && event.target.matches("input, textarea") && act.call(this, event)) event.preventDefault();
  }

  #arrow({ key }) {
    return this.#popup.walk(key === "ArrowDown" ? 1 : -1);
  }

  #enter({ shiftKey, target }) {
    if (shiftKey && target.matches("textarea")) return false;
    const { marked } = this.#popup;
    if (marked) marked.choose();
    else this.#submit();
    return true;
  }

  /** Choose the marked entry; otherwise Tab moves between fields as usual. */
  #tab({ shiftKey, target }) {
    const { marked } = this.#popup;
    if (shiftKey || !marked) return false;
    if (target !== this.#text && !target.value) return false; // skip an empty field instead of filling it
    marked.choose();
    return true;
  }

  #escape() {
    if (this.#command) this.cancel();
    else this.#popup.hide();
    return true;
  }

  #backspace({ target }) {
    if (target.value || !this.#command) return false;
    const chip = this.#focused;
    const last = this.#chips.at(-1);
    if (chip && !chip.option.required) this.#remove(chip);
    else if (!chip && last) last.field.focus();
    else if (this.#chips.every(({ field }) => !field.value)) this.cancel();
    return true;
  }

  #submit() {
    if (!this.#command) return this.#post();
    if (this.#text.value.trim()) return this.#text.focus();
    const wrong = this.#chips.filter((chip) => !chip.check());
    if (wrong.length) return wrong[0].field.focus(), this.#suggest();
    const options = Object.fromEntries(this.#chips.map((chip) => [chip.option.name, chip.read().value]));
    if (this.run(this.#command.name, options)) this.cancel();
  }

  #post() {
    const content = this.#text.value.trim();
    const isMessage = content && !content.startsWith("/") && content.length <= LONGEST_MESSAGE;
    this.#text.focus();
    if (isMessage && this.say(content)) this.cancel();
    else this.#suggest();
  }
}
