/** Elements are only ever made of attributes and text nodes: what a message says cannot become markup. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style") node.style.cssText = value; // the page's own security policy refuses the attribute
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Web addresses only; anything else (javascript:, data:) gives undefined. */
export const webLink = (url) => (/^https?:\/\//i.test(url ?? "") ? url : undefined);

/** Files that production would serve from its CDN are served by the page's own origin. */
export const fileLink = (url) => webLink(url)?.replace(/^https:\/\/cdn\.discordapp\.com/, location.origin);

export const nameOf = (user) => user?.global_name || user?.username || user?.name || "unknown";

export function avatar(user, size = 40) {
  const style = `--size:${size}px;--colour:${user?.color ?? "#e67e22"}`;
  return el("span", { class: "avatar", style, "aria-hidden": "true" }, nameOf(user)[0].toUpperCase());
}

export const dots = () => el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
