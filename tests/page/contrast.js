// Return the visible texts on the page whose contrast is below 4.5:1, as "ratio text".
() => {
  const parse = (color) => {
    const [red, green, blue, alpha = 1] = color.match(/[\d.]+/g).map(Number);
    return { rgb: [red, green, blue], alpha };
  };
  const over = ({ rgb, alpha }, below) => rgb.map((value, index) => value * alpha + below[index] * (1 - alpha));
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.map((value) => value / 255).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  // What is behind a dialog counts as black.
  const background = (node) => {
    if (!node) return [0, 0, 0];
    const below = node.matches("dialog") ? [0, 0, 0] : background(node.parentElement);
    const style = getComputedStyle(node);
    const { rgb, alpha } = parse(style.backgroundColor);
    return over({ rgb, alpha: alpha * style.opacity }, below);
  };
  const opacity = (node) => (node ? getComputedStyle(node).opacity * opacity(node.parentElement) : 1);
  // A spoiler is covered on purpose, and what is disabled may be faint.
  const isShown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !node.closest(".unseen, .spoiler, option, :disabled");
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const check = (node, text, color) => {
    const behind = background(node);
    const shade = parse(color);
    const lights = [luminance(over({ rgb: shade.rgb, alpha: shade.alpha * opacity(node) }, behind)), luminance(behind)];
    const ratio = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${node.tagName.toLowerCase()}.${node.className}: ${text.trim().slice(0, 30)}`);
  };
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (/[\p{L}\p{N}#]/u.test(text.data) && isShown(node)) check(node, text.data, getComputedStyle(node).color);
  }
  for (const field of document.querySelectorAll("input, textarea, select")) {
    if (!isShown(field)) continue;
    check(field, field.value || field.placeholder, getComputedStyle(field, field.value ? undefined : "::placeholder").color);
  }
  return [...new Set(found)];
}
