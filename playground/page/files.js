import { el } from "./dom.js";
import { size } from "./sizes.js";
import { t } from "./words.js";

/** A chosen file with its picture, if it is one; `remove` is called by its button. */
export function card(file, remove) {
  const isPicture = file.type.startsWith("image/");
  const link = isPicture && URL.createObjectURL(file);
  const show = isPicture
    ? el("img", { src: link, alt: "", onload: () => URL.revokeObjectURL(link) })
    : el("span", { class: "sheet", "aria-hidden": "true" }, "📄");
  const label = t("Remove {name}", { name: file.name });
  return el("div", { class: "card" }, show, el("div", {}, el("span", {}, file.name), el("small", {}, size(file.size))),
    el("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick: remove }, "✕"));
}

/** Return a value with every file in it uploaded and replaced by a reference to it. */
export async function uploaded(value) {
  if (value instanceof File) {
    const response = await fetch(`/client/uploads?name=${encodeURIComponent(value.name)}`, { method: "POST", body: value });
    if (!response.ok) throw new Error(t("The file could not be uploaded."));
    return response.json();
  }
  if (Array.isArray(value)) return Promise.all(value.map(uploaded));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([key, one]) => [key, await uploaded(one)])));
}

/** Let `take(files)` get files that are dropped on the channel or pasted. */
export function takeDroppedFiles(take) {
  const main = document.querySelector("main");
  const hasFiles = ({ dataTransfer: data }) => data.types.includes("Files");
  main.addEventListener("dragover", (event) => hasFiles(event) && (event.preventDefault(), main.classList.add("dropping")));
  for (const end of ["dragleave", "drop"]) main.addEventListener(end, () => main.classList.remove("dropping"), { capture: true });
  main.addEventListener("drop", (event) => hasFiles(event) && (event.preventDefault(), take([...event.dataTransfer.files])));
  main.addEventListener("paste", (event) => event.clipboardData.files.length && (event.preventDefault(), take([...event.clipboardData.files])));
}

/** A place for up to `most` files, which are chosen, dropped or pasted; `input` is the field to focus. */
export class FileField {
  constructor({ most = 1, limit, attributes = {}, changed = () => {} }) {
    this.most = most;
    this.limit = limit;
    this.changed = changed;
    this.files = [];
    this.input = el("input", { type: "file", multiple: most > 1, class: "unseen", ...attributes });
    this.cards = el("div", { class: "cards" });
    this.prompt = el("span", { class: "prompt" });
    this.place = el("label", { class: "place" }, el("span", { "aria-hidden": "true" }, "⬆"), this.prompt, this.input);
    this.node = el("div", { class: "files" }, this.cards, this.place);
    this.input.addEventListener("change", () => this.add([...this.input.files].filter((file) => !this.files.includes(file))));
    this.node.addEventListener("dragover", (event) => event.preventDefault());
    this.node.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      this.add([...event.dataTransfer.files]);
    });
    this.#render();
  }

  get isFull() {
    return this.files.length >= this.most;
  }

  /** Return the problem with the files, if there is one. */
  get problem() {
    const large = this.files.find((file) => file.size > this.limit);
    return large && t("{name} is larger than {size}.", { name: large.name, size: size(this.limit) });
  }

  /** Add files; a single one replaces the one before. A picker that was cancelled has none. */
  add(files) {
    if (!files.length) return this.#set(this.files);
    this.#set(this.most === 1 ? files.slice(0, 1) : [...this.files, ...files].slice(0, this.most));
  }

  #set(files) {
    const all = new DataTransfer();
    files.forEach((file) => all.items.add(file));
    this.input.files = all.files; // so that the field itself is empty or not
    this.files = files;
    this.#render();
    this.changed();
  }

  #remove(file) {
    this.#set(this.files.filter((one) => one !== file));
    this.input.focus();
  }

  #render() {
    this.cards.replaceChildren(...this.files.map((file) => card(file, () => this.#remove(file))));
    this.prompt.textContent = this.most === 1 ? t("Choose or drop a file") : t("Choose or drop up to {most} files", { most: this.most });
    this.place.classList.toggle("full", this.isFull);
  }
}
