import { choicesOf, localized, range, read, TYPE } from "./commands.js";
import { el } from "./dom.js";
import { FileField } from "./files.js";
import { t } from "./words.js";

const PROBLEMS = {
  required: "This option is required. Give it a value.",
  empty: "Give it a value, or remove this option.",
};

/** One option of the command in the composer: its name, field and problem. */
export class Chip {
  #given = 0; // how often suggestions were asked for

  /** `complete(name, typed)` asks the app for suggestions; `remove` and `changed` tell the composer. */
  constructor(option, context, { remove, changed, complete }) {
    this.option = option;
    this.context = context;
    this.complete = complete;
    this.choices = choicesOf(option, context);
    this.name = localized(option, "name", context.locale);
    this.problemNode = el("span", { class: "problem", id: `problem-${option.name}` });
    if (option.type === TYPE.attachment) this.files = new FileField({ limit: context.upload_limit, attributes: this.#attributes, changed: () => (this.mark(undefined), changed()) });
    this.field = this.files?.input ?? this.#field();
    const name = el("span", { class: "name", "aria-hidden": "true" }, this.name, option.required && el("i", { title: t("required") }, "*"));
    const removeButton = { type: "button", tabindex: "-1", class: "icon", "aria-label": t("Remove {name}", { name: this.name }), onclick: remove };
    const body = this.files ? [name, this.files.node] : el("label", {}, name, this.field);
    this.node = el("div", { class: this.files ? "chip with-file" : "chip" }, body, this.problemNode, !option.required && el("button", removeButton, "✕"));
    this.node.chip = this;
  }

  get #attributes() {
    const { option } = this;
    return { "aria-label": this.name, "aria-required": option.required && "true", "aria-describedby": `problem-${option.name} note` };
  }

  #field() {
    const { option, choices } = this;
    const isNumber = option.type === TYPE.integer || option.type === TYPE.number;
    const isListed = choices || option.autocomplete;
    const attributes = { ...this.#attributes, spellcheck: "false" };
    if (isListed) Object.assign(attributes, { role: "combobox", "aria-autocomplete": "list", "aria-controls": "choices", "aria-expanded": "false" });
    if (!isListed && !isNumber) return el("textarea", { ...attributes, rows: 1, enterkeyhint: "send" });
    return el("input", { ...attributes, type: "text", inputmode: isNumber && !choices ? "decimal" : undefined, enterkeyhint: "send" });
  }

  read() {
    const { option, field, files, chosen } = this;
    if (files?.problem) return { problem: files.problem };
    if (files?.isFull) return { value: files.files[0] };
    if (option.autocomplete && chosen && field.value === chosen.label) return { value: chosen.value };
    return read(option, field.value, this.context);
  }

  /** Mark a problem, if there is one; return whether the value can be sent. */
  check() {
    this.mark(this.read().problem);
    return !this.problem;
  }

  mark(problem) {
    this.problem = problem;
    this.problemNode.textContent = problem ?? "";
    this.node?.classList.toggle("invalid", Boolean(problem));
    this.field.setAttribute("aria-invalid", String(Boolean(problem)));
  }

  /** Fill in one of the choices. */
  set(label) {
    this.chosen = (this.suggested ?? []).find((one) => one.label === label) ?? { label };
    this.field.value = label;
    this.mark(undefined);
  }

  get #isComplete() {
    return this.field.value === this.chosen?.label; // then every choice is listed, and Enter sends
  }

  /** Ask the app what it suggests for the typed text; `show` is called when that came. */
  async suggest(show) {
    if (!this.option.autocomplete || this.#isComplete) return;
    const number = ++this.#given;
    const found = await this.complete(this.option.name, this.field.value);
    if (number !== this.#given) return; // more was typed meanwhile
    this.suggested = found?.map((one) => ({ label: localized(one, "name", this.context.locale), value: one.value }));
    this.isSilent = !found;
    show();
  }

  /** Return the popup's content while this field has focus; `choose` gets the label of a choice. */
  help(choose) {
    const { option, problem, context } = this;
    const typed = this.field.value.trim().toLowerCase();
    const matches = (this.choices ?? []).filter(({ label }) => this.#isComplete || label.toLowerCase().includes(typed));
    const items = option.autocomplete ? this.suggested ?? [] : matches;
    const limits = range(option);
    const silent = this.isSilent && el("span", { class: "problem" }, t("The app suggested nothing in time."));
    return {
      note: [el("b", {}, this.name), " ", localized(option, "description", context.locale), limits && el("small", {}, ` (${limits})`), silent].filter(Boolean),
      problem: problem && (PROBLEMS[problem] ? t(PROBLEMS[problem]) : this.files ? problem : t("Must be {what}.", { what: problem })),
      items: items.map(({ label, user }) => ({ label, user, choose: () => choose(label) })),
      mark: this.#isComplete ? -1 : 0,
    };
  }
}
