import { el } from "./dom.js";
import { RUSSIAN } from "./russian.js";

let language = "en-US";

export const currentLanguage = () => language;

/** Return one of the page's own texts in the viewer's language; `{name}` in it becomes `values.name`. */
export function t(text, values = {}) {
  const found = language === "ru" ? RUSSIAN[text] ?? text : text;
  return found.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function translate(node) {
  node.english ??= Object.fromEntries(node.dataset.t.split(" ").map((part) => [part, part === "text" ? node.textContent : node.getAttribute(part)]));
  for (const [part, text] of Object.entries(node.english)) {
    if (part === "text") node.replaceChildren(...t(text).split("`").map((piece, index) => (index % 2 ? el("kbd", {}, piece) : piece)));
    else node.setAttribute(part, t(text));
  }
}

/** Set the viewer's language and translate index.html, where `data-t` names what to translate: "text" and attributes. */
export function setLanguage(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  document.querySelectorAll("[data-t]").forEach(translate);
}
