import { el } from "./dom.js";
import { t } from "./words.js";

/** A button with a menu. `items()` returns {label, choose} when it opens; `open` opens it from elsewhere. */
export function menu(label, items) {
  const list = el("ul", { role: "menu", "aria-label": label, hidden: true });
  const button = el("button", { type: "button", class: "icon", "aria-label": label, title: label, "aria-haspopup": "menu", "aria-expanded": "false" }, "⋯");
  const node = el("div", { class: "menu" }, button, list);

  function close({ focus = false } = {}) {
    list.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (focus) button.focus();
  }

  function open() {
    const entries = items().map(({ label: text, choose }) =>
      el("li", { role: "none" }, el("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => (close({ focus: true }), choose()) }, text)));
    list.replaceChildren(...(entries.length ? entries : [el("li", { role: "none", class: "nothing" }, t("No app has a command for this message."))]));
    list.hidden = false;
    button.setAttribute("aria-expanded", "true");
    (list.querySelector("button") ?? button).focus();
    list.scrollIntoView({ block: "nearest" });
  }

  function walk(event) {
    const all = [...list.querySelectorAll("button")];
    const at = all.indexOf(document.activeElement);
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 };
    if (event.key === "Escape" && !list.hidden) close({ focus: true });
    else if (event.key in steps && all.length && !list.hidden) all[steps[event.key] % all.length].focus();
    else return;
    event.preventDefault();
  }

  button.addEventListener("click", () => (list.hidden ? open() : close()));
  node.addEventListener("keydown", walk);
  node.addEventListener("focusout", ({ relatedTarget }) => node.contains(relatedTarget) || close());
  return { node, open };
}
