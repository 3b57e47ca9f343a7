import { gallery } from "./attachments.js";
import { el, fileLink, webLink } from "./dom.js";
import { markdown } from "./markdown.js";
import { timestamp } from "./timestamps.js";

const colour = (number) => (number === undefined || number === null ? "#1e1f22" : `#${number.toString(16).padStart(6, "0")}`);

function titled(url, children) {
  return webLink(url) ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, children) : children;
}

function footer({ footer: words, timestamp: at }) {
  const time = at && timestamp(Date.parse(at), "f");
  return (words?.text || time) && el("footer", {}, words?.text, words?.text && time && " • ", time);
}

export function embed(data, context) {
  const { author, title, url, description, fields = [], image, thumbnail } = data;
  return el("article", { class: "embed", style: `--bar:${colour(data.color)}` },
    el("div", { class: "words" },
      author && el("div", { class: "by" }, titled(author.url, author.name)),
      title && el("h3", {}, titled(url, markdown(title, context))),
      description && el("div", { class: "text" }, markdown(description, context)),
      fields.length > 0 && el("dl", {}, fields.map(({ name, value, inline }) =>
        el("div", { class: inline ? "inline" : "" }, el("dt", {}, markdown(name, context)), el("dd", {}, markdown(value, context)))))),
    thumbnail && el("img", { class: "thumbnail", src: fileLink(thumbnail.url), alt: thumbnail.description ?? "" }),
    image && gallery([{ filename: "image", ...image }]),
    footer(data));
}
