import { el } from "./dom.js";
import { FileField } from "./files.js";
import { Select } from "./select.js";

export const [ROW, TEXT_INPUT, TEXT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX] = [1, 4, 10, 19, 21, 22, 23];
let groups = 0;

function text({ style, value, placeholder, max_length: most = 4000 }, { isRequired }) {
  const attributes = { placeholder, maxlength: most, "aria-required": String(isRequired), spellcheck: "false", autocomplete: "off" };
  const input = style === 2 ? el("textarea", { ...attributes, rows: 4 }) : el("input", { ...attributes, type: "text" });
  input.value = value ?? "";
  return { node: input, input, value: () => input.value };
}

function files({ max_values: most = 1 }, { isRequired, view }) {
  const field = new FileField({ most, limit: view.upload_limit, attributes: { "aria-required": String(isRequired) } });
  return { node: field.node, input: field.input, value: () => field.files, problem: () => field.problem };
}

/** Radio buttons, or checkboxes; the arrow keys move between radio buttons by themselves. */
function choices({ type, options }, { label, isRequired }) {
  const isRadio = type === RADIO_GROUP;
  const name = `group-${++groups}`;
  const buttons = options.map(({ value, default: checked }) => el("input", { type: isRadio ? "radio" : "checkbox", name, value, checked }));
  const rows = options.map((option, index) => el("label", { class: "choice" }, buttons[index],
    el("span", {}, option.label, option.description && el("small", {}, option.description))));
  const node = el("div", { class: "group", role: isRadio ? "radiogroup" : "group", "aria-label": label, "aria-required": isRadio && String(isRequired) }, rows);
  const chosen = () => buttons.filter(({ checked }) => checked).map(({ value }) => value);
  return { node, input: buttons.find(({ checked }) => checked) ?? buttons[0], value: isRadio ? () => chosen()[0] ?? "" : chosen };
}

function checkbox({ default: checked }, { label }) {
  const input = el("input", { type: "checkbox", checked, "aria-label": label });
  return { node: el("label", { class: "choice" }, input, el("span", {}, label)), input, value: () => input.checked };
}

function select(part, { label, isRequired, view }) {
  const made = new Select({ ...part, required: isRequired }, view, { label });
  return { node: made.node, input: made.field, value: () => made.values };
}

const MAKE = { [TEXT_INPUT]: text, [FILE_UPLOAD]: files, [RADIO_GROUP]: choices, [CHECKBOX_GROUP]: choices, [CHECKBOX]: checkbox };

/** Make an input component of a modal: {node, input, value(), problem()}; `input` gets the focus. */
export function makeInput(part, context) {
  return (MAKE[part.type] ?? select)(part, context);
}
