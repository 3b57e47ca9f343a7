import { setAhead } from "./clock.js";
import { Composer } from "./composer.js";
import { drawControls, wireControls } from "./controls.js";
import { byId } from "./dom.js";
import { takeDroppedFiles, uploaded } from "./files.js";
import { showModal } from "./form.js";
import { followMessageLinks } from "./links.js";
import { Messages } from "./messages.js";
import { drawApp, drawMembers, drawSidebar, wireSidebar } from "./sidebar.js";
import { connect } from "./socket.js";
import { refreshTimes } from "./timestamps.js";
import { setLanguage, t } from "./words.js";

const LOST = "The connection was lost before an answer came";
const NOTICE_MILLISECONDS = 5000;

const view = { members: [], channels: [], commands: [], messages: {}, locale: "en-US" }; // READY's data, kept up to date
const waiting = new Map(); // nonce -> function called with a failure reason, or undefined and what came
let socket;
let sent = 0;
const newNonce = () => String(++sent);

/** Send a frame that the app answers; `begin` is called once it is sent and returns the function that ends it. */
function request(frame, begin) {
  const nonce = newNonce();
  const isSent = socket.send({ ...frame, nonce });
  if (isSent) waiting.set(nonce, begin());
  return isSent;
}

/** Send a frame with files, after they were uploaded; return whether it was sent. */
async function requestWithFiles(frame, begin) {
  const channelId = view.channel.id;
  try {
    return request({ ...(await uploaded(frame)), channel_id: channelId }, begin);
  } catch (error) {
    notify(error.message);
    return false;
  }
}

/** Ask the app for choices; they are undefined if it didn't answer. */
function complete(name, focused, text, options) {
  const frame = { op: "complete", channel_id: view.channel.id, name, focused, text, options };
  return new Promise((resolve) => request(frame, () => (_, choices) => resolve(choices)) || resolve());
}

const composer = new Composer(view, {
  run: (name, options) => requestWithFiles({ op: "command", name, options }, () => messages.sending(`/${name}`)),
  say: (content, files) => requestWithFiles({ op: "say", content, files }, () => messages.posting([content, ...files.map((file) => file.name)].join(" "))),
  complete,
});

/** Use a component and show it as pending. */
function use({ id }, customId, frame, chosen) {
  request({ ...frame, message_id: id, custom_id: customId }, () => {
    messages.pressing(id, customId, undefined, chosen);
    return (reason) => messages.pressing(id, undefined, reason);
  });
}

let noticeTimer;

/** Show a sentence for a few seconds. */
function notify(text) {
  byId("notice").textContent = text;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (byId("notice").textContent = ""), NOTICE_MILLISECONDS);
}

/** Show a message, in its channel. */
function jump({ channelId, messageId }) {
  if (!view.channels.some(({ id }) => id === channelId)) return notify(t("You can't see this channel."));
  if (channelId !== view.channel.id) choose(channelId);
  if (messageId && !messages.show(messageId)) notify(t("This message no longer exists."));
}

const messages = new Messages(view, {
  press: (message, customId) => use(message, customId, { op: "press" }),
  choose: (message, customId, values) => use(message, customId, { op: "choose", values }, { [customId]: values }),
  menu: ({ id }, name) => request({ op: "menu", message_id: id, channel_id: view.channel.id, name }, () => messages.sending(name)),
  userMenu: ({ id }, name) => request({ op: "menu", user_id: id, channel_id: view.channel.id, name }, () => messages.sending(name)),
  dismiss(message) {
    socket.send({ op: "dismiss", message_id: message.id });
    EVENT_HANDLERS.MESSAGE_DELETE(message);
  },
  remove: ({ id }) => socket.send({ op: "delete", message_id: id }),
  jump,
  onCommand: (name) => composer.begin(name),
});

function settle(nonce, ...outcome) {
  waiting.get(nonce)?.(...outcome);
  waiting.delete(nonce);
}

/** The direct message channel has no name of its own. */
const named = (channel) => ({ ...channel, name: channel.name ?? t("{app} (direct)", { app: view.app.name }) });

/** Add the direct message channel to the list when its first message arrives. */
function ensureChannel(channelId) {
  if (view.channels.some(({ id }) => id === channelId)) return;
  view.channels.push(named({ id: channelId }));
  drawSidebar(view, { choose });
}

function storeMessage(message) {
  ensureChannel(message.channel_id);
  const all = (view.messages[message.channel_id] ??= []);
  const index = all.findIndex(({ id }) => id === message.id);
  if (index < 0) all.push(message);
  else all[index] = message;
  if (message.channel_id === view.channel.id) messages.put(message);
}

function choose(channelId) {
  view.channel = view.channels.find(({ id }) => id === channelId) ?? view.channels[0];
  drawSidebar(view, { choose });
  messages.reset(view.messages[view.channel.id] ?? []);
  composer.refresh();
}

const EVENT_HANDLERS = {
  READY(data) {
    setLanguage(data.locale);
    setAhead(data.ahead);
    Object.assign(view, data);
    view.channels = view.channels.map(named);
    choose(view.channel?.id);
    byId("messages").setAttribute("aria-busy", "false");
    drawControls();
  },
  MESSAGE_CREATE: storeMessage,
  MESSAGE_UPDATE: storeMessage,
  MESSAGE_DELETE({ id, channel_id: channelId }) {
    const left = (view.messages[channelId] ?? []).filter((one) => one.id !== id);
    const repliesTo = ({ message_reference: reference }) => reference?.message_id === id;
    view.messages[channelId] = left.map((one) => (repliesTo(one) ? { ...one, referenced_message: null } : one));
    messages.remove(id);
  },
  FORM({ token, ...form }) {
    showModal(form, { ...view, onCommand() {} }, (values, settle) => request({ op: "submit", token, values }, () => settle) || settle(LOST));
  },
  COMMANDS_UPDATE({ commands }) {
    view.commands = commands;
    composer.refresh();
  },
  APP_UPDATE(app) {
    Object.assign(view.app, app);
    drawApp(view);
    drawControls();
  },
  TIME({ ahead }) {
    setAhead(ahead);
    refreshTimes();
    drawControls();
  },
  CHOICES: ({ nonce, choices }) => settle(nonce, undefined, choices),
  INTERACTION_SUCCESS: ({ nonce }) => settle(nonce),
  INTERACTION_FAILURE: ({ nonce, reason }) => settle(nonce, reason),
};

function switchMember(userId) {
  socket?.close();
  byId("form").close();
  sessionStorage.setItem("user", userId); // this tab keeps acting as this member
  waiting.clear();
  drawMembers(view.members, userId, switchMember);
  byId("messages").setAttribute("aria-busy", "true"); // until READY, these are the previous member's
  composer.cancel({ focus: false });
  socket = connect(userId, {
    onEvent(type, data) {
      byId("connection").hidden = true;
      EVENT_HANDLERS[type]?.(data);
    },
    onLost() {
      byId("connection").hidden = false;
      [...waiting.keys()].forEach((nonce) => settle(nonce, LOST));
    },
  });
}

wireSidebar({
  onLocale(locale) {
    view.locale = locale;
    socket.send({ op: "locale", locale });
    setLanguage(locale);
    drawSidebar(view, { choose });
    drawControls();
    messages.redraw();
    composer.refresh();
  },
});
wireControls();
takeDroppedFiles((files) => composer.take(files));
followMessageLinks(jump);
view.members = await (await fetch("/client/members")).json();
switchMember(view.members.find(({ id }) => id === sessionStorage.getItem("user"))?.id ?? view.members[0].id);
