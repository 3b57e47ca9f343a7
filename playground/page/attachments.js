import { byId, el, fileLink } from "./dom.js";

const isImage = ({ content_type: type, filename }) => (type ? type.startsWith("image/") : /\.(png|jpe?g|webp|gif)$/i.test(filename));

function size(bytes) {
  const step = bytes < 1024 ? 0 : bytes < 1024 ** 2 ? 1 : 2;
  return `${(bytes / 1024 ** step).toFixed(step)} ${["bytes", "KB", "MB"][step]}`;
}

/** Opens large: Escape or a press beside the image closes, arrows walk through its neighbours. */
function enlarge(images, index) {
  const dialog = byId("lightbox");
  const show = (at) => {
    index = (at + images.length) % images.length;
    const { url, description } = images[index];
    dialog.replaceChildren(
      el("img", { src: fileLink(url), alt: description ?? "" }),
      el("p", {},
        images.length > 1 && el("span", {}, `${index + 1} of ${images.length}`),
        el("a", { href: fileLink(url), target: "_blank", rel: "noopener" }, "Open original"),
        el("button", { type: "button", class: "button secondary", onclick: () => dialog.close() }, "Close")),
    );
  };
  dialog.onclick = (event) => event.target === dialog && dialog.close();
  dialog.onkeydown = ({ key }) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (step) show(index + step);
  };
  show(index);
  dialog.showModal();
}

function tile(images, index) {
  const { url, filename, description, width, height } = images[index];
  const open = (event) => {
    if (event.ctrlKey || event.metaKey) return; // as any link: in a new tab
    event.preventDefault();
    enlarge(images, index);
  };
  const attributes = { href: fileLink(url), target: "_blank", rel: "noopener", onclick: open };
  if (!description) attributes["aria-label"] = `Open ${filename ?? "image"}`;
  const image = el("img", { src: fileLink(url), alt: description ?? "", width, height });
  return el("div", { class: "tile" }, el("a", attributes, image), description && [
    el("button", { type: "button", class: "alt", "aria-label": `Description: ${description}` }, "ALT"),
    el("span", { class: "alt-text", "aria-hidden": "true" }, description),
  ]);
}

export function gallery(images) {
  const kind = images.length > 4 ? "many" : `of-${images.length}`;
  return images.length > 0 && el("div", { class: `gallery ${kind}` }, images.map((_, index) => tile(images, index)));
}

function chip({ url, filename, size: bytes }) {
  return el("div", { class: "file" },
    el("span", { class: "icon", "aria-hidden": "true" }, "📄"),
    el("div", {}, el("a", { href: fileLink(url), target: "_blank", rel: "noopener" }, filename), el("small", {}, size(bytes))));
}

export function attachments(files = []) {
  return [gallery(files.filter(isImage)), files.filter((file) => !isImage(file)).map(chip)];
}
