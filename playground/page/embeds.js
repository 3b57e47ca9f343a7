import { gallery, tile } from "./attachments.js";
import { el, webLink } from "./dom.js";
import { link, markdown } from "./markdown.js";
import { timestamp } from "./timestamps.js";
import { t } from "./words.js";

export const color = (number) => (number === undefined || number === null ? "#1e1f22" : `#${number.toString(16).padStart(6, "0")}`);

function footer({ footer: footerData, timestamp: at }) {
  const time = at && timestamp(Date.parse(at), "f");
  return (footerData?.text || time) && el("footer", {}, footerData?.text, footerData?.text && time && " • ", time);
}

/** An image is shown by Discord's own servers, wherever it is from. */
const shown = ({ url, proxy_url: proxy, ...rest }) => ({ filename: t("image"), ...rest, url: proxy ?? url });

export function embed(data, context) {
  const { type, title, url, description, fields = [], image, thumbnail } = data;
  if (type === "image") return el("article", { class: "embed bare" }, gallery([shown(thumbnail)]));
  const heading = markdown(title, context);
  return el("article", { class: "embed", style: `--bar:${color(data.color)}` },
    el("div", { class: "embed-text" },
      title && el("h3", {}, webLink(url) ? link(url, ...heading) : heading),
      description && el("div", { class: "text" }, markdown(description, context)),
      fields.length > 0 && el("dl", {}, fields.map(({ name, value, inline }) =>
        el("div", { class: inline ? "inline" : "" }, el("dt", {}, markdown(name, context)), el("dd", {}, markdown(value, context)))))),
    thumbnail && el("div", { class: "thumbnail" }, tile(shown(thumbnail), [shown(thumbnail)])),
    image && gallery([shown(image)]),
    footer(data));
}
