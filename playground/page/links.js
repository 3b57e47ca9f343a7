const MESSAGE = /^https:\/\/(?:(?:ptb|canary)\.)?discord(?:app)?\.com\/channels\/(?:@me|\d+)\/(\d+)(?:\/(\d+))?\/?$/;

/** Return {channelId, messageId} of a link to a message (or to a channel, without messageId), else undefined. */
export function place(url) {
  const [, channelId, messageId] = MESSAGE.exec(url ?? "") ?? [];
  return channelId && { channelId, messageId };
}

/** Follow links to messages on the page instead of opening discord.com; `jump` gets {channelId, messageId}. */
export function followMessageLinks(jump) {
  document.addEventListener("click", (event) => {
    const target = place(event.target.closest("a[href]")?.href);
    if (!target) return;
    event.preventDefault();
    jump(target);
  });
}
