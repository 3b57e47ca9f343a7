import { el, fileLink } from "./dom.js";
import { openLightbox } from "./lightbox.js";
import { size } from "./sizes.js";
import { t } from "./words.js";

const isImage = ({ content_type: type, filename }) => (type ? type.startsWith("image/") : /\.(png|jpe?g|webp|gif)$/i.test(filename));

const isSpoiler = ({ filename = "", flags = 0 }) => filename.startsWith("SPOILER_") || Boolean(flags & (1 << 3));

/** Blur a spoiler and hide its description until it is clicked. */
function covered(file) {
  const { url, width, height } = file;
  const image = el("img", { src: fileLink(url), alt: "", width, height });
  const cover = el("button", { type: "button", class: "cover", "aria-label": t("Spoiler, press to show the image") }, el("span", {}, t("SPOILER")));
  const node = el("div", { class: "tile covered" }, image, cover);
  cover.addEventListener("click", () => {
    const shown = tile(file, [file]);
    node.replaceWith(shown);
    shown.querySelector("a").focus();
  });
  return node;
}

/** An image that opens in the lightbox together with `others`, the open images of its message. */
export function tile(file, others) {
  const { url, filename, description, width, height } = file;
  const open = (event) => {
    if (event.ctrlKey || event.metaKey) return; // like any link, in a new tab
    event.preventDefault();
    openLightbox(others, others.indexOf(file));
  };
  const attributes = { href: fileLink(url), target: "_blank", rel: "noopener", onclick: open };
  if (!description) attributes["aria-label"] = t("Open {name}", { name: filename ?? t("image") });
  const image = el("img", { src: fileLink(url), alt: description ?? "", width, height });
  return el("div", { class: "tile" }, el("a", attributes, image), description && [
    el("button", { type: "button", class: "alt", "aria-label": t("Description: {text}", { text: description }) }, "ALT"),
    el("span", { class: "alt-text", "aria-hidden": "true" }, description),
  ]);
}

export function gallery(images) {
  const kind = images.length > 4 ? "many" : `of-${images.length}`;
  const open = images.filter((file) => !isSpoiler(file));
  return images.length > 0 && el("div", { class: `gallery ${kind}` }, images.map((file) => (isSpoiler(file) ? covered(file) : tile(file, open))));
}

export function chip({ url, filename, size: bytes }) {
  return el("div", { class: "file" },
    el("span", { class: "icon", "aria-hidden": "true" }, "📄"),
    el("div", {}, el("a", { href: fileLink(url), download: filename }, filename), el("small", {}, size(bytes))));
}

export function attachments(files = []) {
  return [gallery(files.filter(isImage)), files.filter((file) => !isImage(file)).map(chip)];
}
