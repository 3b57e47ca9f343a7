import { choicesOf, localized, range, read, TYPE } from "./commands.js";
import { el } from "./dom.js";
import { t } from "./words.js";

const PROBLEMS = {
  required: "This option is required. Give it a value.",
  empty: "Give it a value, or remove this option.",
};

/** One option of the command in the composer: its name, field and problem. */
export class Chip {
  constructor(option, context, { remove }) {
    this.option = option;
    this.context = context;
    this.choices = choicesOf(option, context);
    this.name = localized(option, "name", context.locale);
    this.field = this.#field();
    this.problemNode = el("span", { class: "problem", id: `problem-${option.name}` });
    const name = el("span", { class: "name", "aria-hidden": "true" }, this.name, option.required && el("i", { title: t("required") }, "*"));
    const removeButton = { type: "button", tabindex: "-1", class: "icon", "aria-label": t("Remove {name}", { name: this.name }), onclick: remove };
    this.node = el("div", { class: "chip" }, el("label", {}, name, this.field), this.problemNode, !option.required && el("button", removeButton, "✕"));
    this.node.chip = this;
  }

  #field() {
    const { option, choices } = this;
    const isNumber = option.type === TYPE.integer || option.type === TYPE.number;
    const attributes = { "aria-label": this.name, "aria-required": option.required && "true", "aria-describedby": `problem-${option.name} note`, spellcheck: "false" };
    if (choices) Object.assign(attributes, { role: "combobox", "aria-autocomplete": "list", "aria-controls": "choices", "aria-expanded": "false" });
    if (!choices && !isNumber) return el("textarea", { ...attributes, rows: 1, enterkeyhint: "send" });
    return el("input", { ...attributes, type: "text", inputmode: isNumber && !choices ? "decimal" : undefined, enterkeyhint: "send" });
  }

  read() {
    return read(this.option, this.field.value, this.context);
  }

  /** Mark a problem, if there is one; return whether the value can be sent. */
  check() {
    this.mark(this.read().problem);
    return !this.problem;
  }

  mark(problem) {
    this.problem = problem;
    this.problemNode.textContent = problem ?? "";
    this.node.classList.toggle("invalid", Boolean(problem));
    this.field.setAttribute("aria-invalid", String(Boolean(problem)));
  }

  set(label) {
    this.field.value = label;
    this.chosen = label;
    this.mark(undefined);
  }

  /** Return the popup's content while this field has focus; `choose` gets the label of a choice. */
  help(choose) {
    const { option, problem, context } = this;
    const isComplete = this.field.value === this.chosen; // then every choice is listed, and Enter sends
    const typed = this.field.value.trim().toLowerCase();
    const items = (this.choices ?? []).filter(({ label }) => isComplete || label.toLowerCase().includes(typed));
    const limits = range(option);
    return {
      note: [el("b", {}, this.name), " ", localized(option, "description", context.locale), limits && el("small", {}, ` (${limits})`)].filter(Boolean),
      problem: problem && (PROBLEMS[problem] ? t(PROBLEMS[problem]) : t("Must be {what}.", { what: problem })),
      items: items.map(({ label, user }) => ({ label, user, choose: () => choose(label) })),
      mark: isComplete ? -1 : 0,
    };
  }
}
