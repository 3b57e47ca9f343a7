import { byId, el } from "./dom.js";
import { uploaded } from "./files.js";
import { CHECKBOX, CHECKBOX_GROUP, makeInput, RADIO_GROUP, ROW, TEXT, TEXT_INPUT } from "./inputs.js";
import { markdown } from "./markdown.js";
import { failed } from "./message.js";
import { t } from "./words.js";

let fields = 0;

/** One field of a modal: its node, value and problem. */
class Field {
  constructor({ label, description }, part, view) {
    this.part = part;
    this.label = label ?? part.label;
    const id = `field-${++fields}`;
    const isGroup = part.type === RADIO_GROUP || part.type === CHECKBOX_GROUP;
    this.problemNode = el("span", { class: "problem", id: `${id}-problem`, role: "alert" });
    const note = description && el("small", { id: `${id}-note` }, description);
    this.made = makeInput(part, { label: this.label, isRequired: this.#isRequired, view });
    const { input } = this.made;
    const star = this.#isRequired && el("i", { title: t("required") }, "*");
    const name = part.type !== CHECKBOX && el(isGroup ? "span" : "label", { class: "name", for: isGroup ? undefined : id, "aria-hidden": isGroup && "true" }, this.label, star);
    input.id = id;
    const described = [input.getAttribute("aria-describedby"), note && `${id}-note`, `${id}-problem`];
    input.setAttribute("aria-describedby", described.filter(Boolean).join(" "));
    this.node = el("div", { class: "field" }, name, note, this.made.node, this.problemNode);
  }

  get #isRequired() {
    return this.part.type !== CHECKBOX && (this.part.required ?? true);
  }

  get value() {
    return this.made.value();
  }

  get #problem() {
    const { type, min_length: least = 0, min_values: fewest = 1, max_values: most = Infinity } = this.part;
    const { value } = this;
    if (type === CHECKBOX) return "";
    const size = value.length;
    if (this.#isRequired && !(type === TEXT_INPUT ? value.trim() : size)) return t("This field is required.");
    if (type === TEXT_INPUT) return size && size < least ? t("At least {least} characters.", { least }) : "";
    if (type !== RADIO_GROUP && size && size < fewest) return t("Choose at least {fewest}.", { fewest });
    if (type === CHECKBOX_GROUP && size > most) return t("Choose at most {most}.", { most });
    return this.made.problem?.() ?? "";
  }

  /** Show the problem, if there is one; return whether the value can be sent. */
  check() {
    const problem = this.#problem;
    this.problemNode.textContent = problem;
    this.made.input.setAttribute("aria-invalid", String(Boolean(problem)));
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
  const onsubmit = async (event) => {
    event.preventDefault();
    const wrong = inputs.filter((field) => !field.check());
    if (wrong.length) return wrong[0].made.input.focus();
    submit.disabled = true;
    failure.replaceChildren();
    const values = Object.fromEntries(inputs.map(({ part, value }) => [part.custom_id, value]));
    await uploaded(values).then((sent) => send(sent, settle), ({ message }) => settle(message));
  };
  const heading = el("h2", { id: "form-title" }, title);
  dialog.replaceChildren(el("form", { novalidate: true, onsubmit }, heading, body, failure, el("p", { class: "row" }, cancel, submit)));
  const { key } = document.activeElement.dataset; // its message can be redrawn meanwhile
  dialog.onclose = () => key && document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  dialog.showModal();
  inputs[0]?.made.input.focus();
}
