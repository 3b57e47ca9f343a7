import { Composer } from "./composer.js";
import { byId } from "./dom.js";
import { ask } from "./form.js";
import { Messages } from "./messages.js";
import { drawApp, drawPeople, drawSidebar, drawSwitches, wireSidebar } from "./sidebar.js";
import { connect } from "./socket.js";
import { speak } from "./timestamps.js";

const LOST = "The connection was lost before an answer came";

const view = { people: [], channels: [], commands: [], messages: {}, locale: "en-US" }; // what READY told, kept up to date
const waiting = new Map(); // nonce -> called with a reason, or with nothing on success
let socket;
let sent = 0;
const newNonce = () => String(++sent);

/** Sends what the app is to answer; `begin` is called once it is sent, for what ends it. */
function request(frame, begin) {
  const nonce = newNonce();
  const isSent = socket.send({ ...frame, nonce });
  if (isSent) waiting.set(nonce, begin());
  return isSent;
}

const composer = new Composer(view, (name, options) =>
  request({ op: "command", channel_id: view.channel.id, name, options }, () => messages.sending(`/${name}`)));

/** Uses a component, which shows that it waits. */
function use({ id }, customId, frame, chosen) {
  request({ ...frame, message_id: id, custom_id: customId }, () => {
    messages.pressing(id, customId, undefined, chosen);
    return (reason) => messages.pressing(id, undefined, reason);
  });
}

const messages = new Messages(view, {
  press: (message, customId) => use(message, customId, { op: "press" }),
  choose: (message, customId, values) => use(message, customId, { op: "choose", values }, { [customId]: values }),
  menu: ({ id }, name) => request({ op: "menu", message_id: id, name }, () => messages.sending(name)),
  dismiss(message) {
    socket.send({ op: "dismiss", message_id: message.id });
    HEAR.MESSAGE_DELETE(message);
  },
  remove: ({ id }) => socket.send({ op: "delete", message_id: id }),
  onCommand: (name) => composer.begin(name),
});

function settle(nonce, reason) {
  waiting.get(nonce)?.(reason);
  waiting.delete(nonce);
}

/** A direct message opens its channel in the list when the first one comes. */
function known(channelId) {
  if (view.channels.some(({ id }) => id === channelId)) return;
  view.channels.push({ id: channelId, name: `${view.app.name} (direct)` });
  drawSidebar(view, { choose });
}

function keep(message) {
  known(message.channel_id);
  const all = (view.messages[message.channel_id] ??= []);
  const index = all.findIndex(({ id }) => id === message.id);
  if (index < 0) all.push(message);
  else all[index] = message;
  if (message.channel_id === view.channel.id) messages.put(message);
}

function choose(channelId) {
  view.channel = view.channels.find(({ id }) => id === channelId) ?? view.channels[0];
  speak(view.locale);
  drawSidebar(view, { choose });
  messages.reset(view.messages[view.channel.id] ?? []);
  composer.refresh();
}

const HEAR = {
  READY(data) {
    const { people } = view; // with their colours
    Object.assign(view, data, { people, user: people.find(({ id }) => id === data.user.id) });
    choose(view.channel?.id);
    byId("messages").setAttribute("aria-busy", "false");
    drawSwitches();
  },
  MESSAGE_CREATE: keep,
  MESSAGE_UPDATE: keep,
  MESSAGE_DELETE({ id, channel_id: channelId }) {
    view.messages[channelId] = (view.messages[channelId] ?? []).filter((one) => one.id !== id);
    messages.remove(id);
  },
  FORM({ token, ...form }) {
    ask(form, { ...view, onCommand() {} }, (values, settle) => request({ op: "submit", token, values }, () => settle) || settle(LOST));
  },
  COMMANDS_UPDATE({ commands }) {
    view.commands = commands;
    composer.refresh();
  },
  APP_UPDATE(app) {
    Object.assign(view.app, app);
    drawApp(view);
    drawSwitches();
  },
  INTERACTION_SUCCESS: ({ nonce }) => settle(nonce),
  INTERACTION_FAILURE: ({ nonce, reason }) => settle(nonce, reason),
};

function become(userId) {
  socket?.close();
  byId("form").close();
  sessionStorage.setItem("user", userId); // this tab stays this person
  waiting.clear();
  drawPeople(view.people, userId, become);
  byId("messages").setAttribute("aria-busy", "true"); // until READY, these are still the last person's
  composer.cancel({ focus: false });
  socket = connect(userId, {
    hear(type, data) {
      byId("connection").hidden = true;
      HEAR[type]?.(data);
    },
    lost() {
      byId("connection").hidden = false;
      [...waiting.keys()].forEach((nonce) => settle(nonce, LOST));
    },
  });
}

wireSidebar({
  speak(locale) {
    view.locale = locale;
    socket.send({ op: "locale", locale });
    speak(locale);
    composer.refresh();
  },
});
view.people = await (await fetch("/client/people")).json();
become(view.people.find(({ id }) => id === sessionStorage.getItem("user"))?.id ?? view.people[0].id);
