/** Create an element from attributes and text nodes only, so that a message can't inject markup. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style") node.style.cssText = value; // the page's content security policy blocks the attribute
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Return an http(s) address unchanged, and undefined for anything else (javascript:, data:). */
export const webLink = (url) => (/^https?:\/\//i.test(url ?? "") ? url : undefined);

/** Map the addresses of Discord's file servers to the page's own origin, which serves the files. */
export const fileLink = (url) => webLink(url)?.replace(/^https:\/\/(cdn\.discordapp\.com|[\w-]+\.discordapp\.net)(?=\/)/, location.origin);

export const nameOf = (user) => user?.global_name || user?.username || user?.name || "unknown";

export function avatar(user, size = 40) {
  const style = `--size:${size}px;--color:${user?.color ?? "#a85400"}`;
  return el("span", { class: "avatar", style, "aria-hidden": "true" }, nameOf(user)[0].toUpperCase());
}

export const dots = () => el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
