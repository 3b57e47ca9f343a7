import { byId, el } from "./dom.js";
import { markdown } from "./markdown.js";
import { failed } from "./message.js";
import { Select } from "./select.js";
import { t } from "./words.js";

const [ROW, TEXT_INPUT, TEXT] = [1, 4, 10];
let fields = 0;

/** One field of a modal: its node, `value` and problem. */
class Field {
  constructor({ label, description }, part, view) {
    this.part = part;
    this.label = label ?? part.label;
    const id = `field-${++fields}`;
    this.problem = el("span", { class: "problem", id: `${id}-problem`, role: "alert" });
    const note = description && el("small", { id: `${id}-note` }, description);
    const name = el("label", { for: id }, this.label, this.#isRequired && el("i", { title: t("required") }, "*"));
    this.input = part.type === TEXT_INPUT ? this.#text() : this.#choice(view);
    this.input.id = id;
    const described = [this.input.getAttribute("aria-describedby"), note && `${id}-note`, `${id}-problem`];
    this.input.setAttribute("aria-describedby", described.filter(Boolean).join(" "));
    this.node = el("div", { class: "field" }, name, note, this.select?.node ?? this.input, this.problem);
  }

  get #isRequired() {
    return this.part.required ?? true;
  }

  #text() {
    const { style, value, placeholder, max_length: most = 4000 } = this.part;
    const attributes = { placeholder, maxlength: most, "aria-required": String(this.#isRequired), spellcheck: "false", autocomplete: "off" };
    const input = style === 2 ? el("textarea", { ...attributes, rows: 4 }) : el("input", { ...attributes, type: "text" });
    input.value = value ?? "";
    return input;
  }

  #choice(view) {
    this.select = new Select({ ...this.part, required: this.#isRequired }, view, { label: this.label });
    return this.select.field;
  }

  get value() {
    return this.select ? this.select.values : this.input.value;
  }

  /** Show the problem, if there is one; return whether the value can be sent. */
  check() {
    const { min_length: least = 0, min_values: fewest = 1 } = this.part;
    const size = this.value.length;
    let problem = "";
    if (this.#isRequired && !(this.select ? size : this.value.trim())) problem = t("This field is required.");
    else if (!this.select && size && size < least) problem = t("At least {least} characters.", { least });
    else if (this.select && size && size < fewest) problem = t("Choose at least {fewest}.", { fewest });
    this.problem.textContent = problem;
    this.input.setAttribute("aria-invalid", String(Boolean(problem)));
    return !problem;
  }
}

/** Show a modal; `send(values, settle)` gets the values by custom_id and calls `settle(reason)` when done. */
export function showModal({ title, components }, view, send) {
  const dialog = byId("form");
  const inputs = [];
  const body = components.map((top) => {
    if (top.type === TEXT) return el("div", { class: "text" }, markdown(top.content, view));
    const field = new Field(top, top.type === ROW ? top.components[0] : top.component, view);
    inputs.push(field);
    return field.node;
  });
  const failure = el("div");
  const submit = el("button", { type: "submit", class: "button primary" }, t("Submit"));
  const cancel = el("button", { type: "button", class: "button secondary", onclick: () => dialog.close() }, t("Cancel"));
  const settle = (reason) => {
    submit.disabled = false;
    if (reason === undefined) dialog.close();
    else failure.replaceChildren(failed(reason));
  };
  const onsubmit = (event) => {
    event.preventDefault();
    const wrong = inputs.filter((field) => !field.check());
    if (wrong.length) return wrong[0].input.focus();
    submit.disabled = true;
    failure.replaceChildren();
    send(Object.fromEntries(inputs.map(({ part, value }) => [part.custom_id, value])), settle);
  };
  const heading = el("h2", { id: "form-title" }, title);
  dialog.replaceChildren(el("form", { novalidate: true, onsubmit }, heading, body, failure, el("p", { class: "row" }, cancel, submit)));
  const { key } = document.activeElement.dataset; // its message can be redrawn meanwhile
  dialog.onclose = () => key && document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  dialog.showModal();
  inputs[0]?.input.focus();
}
