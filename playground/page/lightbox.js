import { byId, el, fileLink } from "./dom.js";
import { t } from "./words.js";

const [LEAST_ZOOM, MOST_ZOOM] = [2, 3]; // times the size that fits; between these, the image's own size

function arrow(kind, label, sign, go) {
  return el("button", { type: "button", class: `step ${kind}`, "aria-label": label, title: label, onclick: go }, sign);
}

/** Fit the image to the window, or show it enlarged with the clicked point in view. */
function zoom(stage, image, { offsetX, offsetY }) {
  const [x, y] = [offsetX / image.clientWidth, offsetY / image.clientHeight];
  const fit = image.clientWidth;
  const isLarge = stage.classList.toggle("zoomed");
  image.style.width = isLarge ? `${Math.min(Math.max(image.naturalWidth, fit * LEAST_ZOOM), fit * MOST_ZOOM)}px` : "";
  if (isLarge) stage.scrollTo(x * image.clientWidth - stage.clientWidth / 2, y * image.clientHeight - stage.clientHeight / 2);
}

/** Show `files[index]` in a dialog. Arrows go to the others, a click zooms, Escape or a click beside the image closes it. */
export function openLightbox(files, index) {
  const dialog = byId("lightbox");
  const show = (step) => openLightbox(files, (index + step + files.length) % files.length);
  const { url, description } = files[index];
  const image = el("img", { src: fileLink(url), alt: description ?? "" });
  const stage = el("div", { class: "stage" }, image);
  image.addEventListener("click", (event) => zoom(stage, image, event));
  const original = el("a", { href: fileLink(url), target: "_blank", rel: "noopener" }, t("Open original"));
  const close = el("button", { type: "button", class: "button secondary", onclick: () => dialog.close() }, t("Close"));
  const caption = el("p", { class: "caption", "aria-hidden": "true" }, description);
  const position = el("span", { role: "status" }, t("{number} of {count}", { number: index + 1, count: files.length }));
  const steps = [arrow("previous", t("Previous image"), "‹", () => show(-1)), arrow("next", t("Next image"), "›", () => show(1))];
  const isOne = files.length === 1;
  dialog.replaceChildren(stage, ...(isOne ? [] : steps), caption, el("p", {}, !isOne && position, original, close));
  dialog.onclick = ({ target }) => (target === dialog || target === stage) && dialog.close();
  dialog.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && !isOne && !stage.classList.contains("zoomed")) event.preventDefault(), show(step);
  };
  if (!dialog.open) dialog.showModal();
  close.focus();
}
