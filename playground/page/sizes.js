import { t } from "./words.js";

/** Return a number of bytes as people read it, such as "1.5 MB". */
export function size(bytes) {
  const step = bytes < 1024 ? 0 : bytes < 1024 ** 2 ? 1 : 2;
  return `${(bytes / 1024 ** step).toFixed(step)} ${[t("bytes"), t("KB"), t("MB")][step]}`;
}
