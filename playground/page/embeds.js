import { gallery } from "./attachments.js";
import { el, webLink } from "./dom.js";
import { link, markdown } from "./markdown.js";
import { timestamp } from "./timestamps.js";

const color = (number) => (number === undefined || number === null ? "#1e1f22" : `#${number.toString(16).padStart(6, "0")}`);

function footer({ footer: footerData, timestamp: at }) {
  const time = at && timestamp(Date.parse(at), "f");
  return (footerData?.text || time) && el("footer", {}, footerData?.text, footerData?.text && time && " • ", time);
}

export function embed(data, context) {
  const { title, url, description, fields = [], image } = data;
  const heading = markdown(title, context);
  return el("article", { class: "embed", style: `--bar:${color(data.color)}` },
    el("div", { class: "embed-text" },
      title && el("h3", {}, webLink(url) ? link(url, ...heading) : heading),
      description && el("div", { class: "text" }, markdown(description, context)),
      fields.length > 0 && el("dl", {}, fields.map(({ name, value, inline }) =>
        el("div", { class: inline ? "inline" : "" }, el("dt", {}, markdown(name, context)), el("dd", {}, markdown(value, context)))))),
    image && gallery([{ filename: "image", ...image }]),
    footer(data));
}
