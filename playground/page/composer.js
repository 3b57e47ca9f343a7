import { Chip } from "./chip.js";
import { entries, localized, TYPE } from "./commands.js";
import { byId, el } from "./dom.js";
import { card } from "./files.js";
import { Popup } from "./popup.js";
import { size } from "./sizes.js";
import { t } from "./words.js";

const [LONGEST_MESSAGE, MOST_FILES] = [2000, 10];

/** Discord's composer: "/" lists the commands, a chosen command asks for its options, any other text is a message. */
export class Composer {
  #form = byId("composer");
  #fields = byId("fields");
  #text = byId("text");
  #popup = new Popup();
  #command;
  #chips = [];
  #files = []; // of a message

  /**
   * `view` is the page's state; `run(name, options)` gets a complete command, `say(content, files)` a message, both
   * return whether it was sent; `complete(name, option, typed, options)` returns what the app suggests.
   */
  constructor(view, { run, say, complete }) {
    this.view = view;
    this.run = run;
    this.say = say;
    this.complete = complete;
    this.#form.addEventListener("submit", (event) => (event.preventDefault(), this.#submit()));
    this.#form.addEventListener("keydown", (event) => !event.isComposing && this.#key(event));
    this.#form.addEventListener("input", () => this.#input());
    this.#form.addEventListener("focusin", () => (this.#focused?.suggest(() => this.#suggest()), this.#suggest()));
    this.#form.addEventListener("focusout", () => this.#popup.hide());
    byId("cancel").addEventListener("click", () => this.cancel());
    byId("attach").addEventListener("click", () => byId("attachments").click());
    byId("attachments").addEventListener("change", ({ target }) => (this.take([...target.files]), (target.value = "")));
    this.#fields.addEventListener("click", ({ target }) => target === this.#fields && this.#text.focus());
  }

  #input() {
    this.#focused?.mark(undefined);
    if (!this.#command) this.#acceptTyped();
    this.#focused?.suggest(() => this.#suggest());
    this.#suggest();
  }

  /** Put files into the command's free attachment options, or beside the text of a message. */
  take(files) {
    if (this.#command) {
      for (const file of files) this.#freeFileChip()?.files.add([file]);
      this.#next();
    } else {
      this.#files = [...this.#files, ...files].slice(0, MOST_FILES);
      this.#redraw();
      this.#text.focus();
      this.#suggest();
    }
  }

  #freeFileChip() {
    const free = this.#chips.find(({ files }) => files && !files.isFull);
    const option = this.#optional.find(({ type }) => type === TYPE.attachment);
    return free ?? (option && this.#add(option));
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
    this.#files = [];
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
    const files = this.#files;
    this.#files = [];
    this.#redraw();
    this.take(files);
  }

  #add(option) {
    const complete = (name, typed) => this.complete(this.#command.name, name, typed, this.#given);
    const chip = new Chip(option, this.view, { remove: () => this.#remove(chip), changed: () => this.#next(), complete });
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

  /** The valid options so far, without files. */
  get #given() {
    const read = this.#chips.filter(({ files }) => !files).map((chip) => [chip.option.name, chip.read().value]);
    return Object.fromEntries(read.filter(([, value]) => value !== undefined));
  }

  #redraw() {
    const { channel } = this.view;
    const drop = (file) => () => ((this.#files = this.#files.filter((one) => one !== file)), this.#redraw(), this.#text.focus());
    byId("attached").replaceChildren(...this.#files.map((file) => card(file, drop(file))));
    byId("attached").hidden = !this.#files.length;
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

  /** The problem with the message, if there is one. */
  get #problem() {
    const { upload_limit: limit } = this.view;
    const large = this.#files.find((file) => file.size > limit);
    if (large) return t("{name} is larger than {size}.", { name: large.name, size: size(limit) });
    return this.#text.value.trim().length > LONGEST_MESSAGE ? t("A message has at most {most} characters.", { most: LONGEST_MESSAGE }) : undefined;
  }

  #offerCommands() {
    const typed = this.#text.value.trimStart();
    if (!typed.startsWith("/")) return { problem: this.#problem };
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

  async #submit() {
    if (!this.#command) return this.#post();
    if (this.#text.value.trim()) return this.#text.focus();
    const wrong = this.#chips.filter((chip) => !chip.check());
    if (wrong.length) return wrong[0].field.focus(), this.#suggest();
    const options = Object.fromEntries(this.#chips.map((chip) => [chip.option.name, chip.read().value]));
    if (await this.run(this.#command.name, options)) this.cancel();
  }

  async #post() {
    const content = this.#text.value.trim();
    const isMessage = (content || this.#files.length) && !content.startsWith("/") && !this.#problem;
    this.#text.focus();
    if (isMessage && (await this.say(content, this.#files))) this.cancel();
    else this.#suggest();
  }
}
