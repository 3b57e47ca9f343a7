import { chip, gallery } from "./attachments.js";
import { el } from "./dom.js";
import { color } from "./embeds.js";
import { markdown } from "./markdown.js";
import { t } from "./words.js";

const [ROW, SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER] = [1, 9, 10, 11, 12, 13, 14, 17];
const SPOILER = 1 << 3;

const shown = ({ media, description, spoiler }) => ({ ...media, url: media.proxy_url, filename: t("image"), description, flags: spoiler ? SPOILER : 0 });

const DRAW = {
  [SECTION]: ({ components, accessory }, context, draw) => el("div", { class: "section" }, el("div", {}, components.map(draw)), draw(accessory)),
  [TEXT]: ({ content }, context) => el("div", { class: "text" }, markdown(content, context)),
  [THUMBNAIL]: (part) => gallery([shown(part)]),
  [GALLERY]: ({ items }) => gallery(items.map(shown)),
  [FILE]: ({ file, name, size }) => chip({ url: file.url, filename: name, size }),
  [SEPARATOR]: ({ divider = true }) => divider && el("hr", { class: "divider" }),
  [CONTAINER]: ({ components, accent_color: accent }, context, draw) => el("div", { class: "container", style: `--bar:${color(accent)}` }, components.map(draw)),
};

/** Draw a message's components, of any age; `control` draws a button or a select. */
export function layout(components, context, control) {
  const draw = (part) => {
    if (part.type === ROW) return el("div", { class: "row" }, part.components.map(control));
    return DRAW[part.type] ? DRAW[part.type](part, context, draw) : control(part);
  };
  return components.map(draw);
}
