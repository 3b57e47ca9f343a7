import { avatar, byId, el, nameOf } from "./dom.js";
import { t } from "./words.js";

const dot = (isOnline) => el("span", { class: isOnline ? "dot online" : "dot", role: "img", "aria-label": isOnline ? t("online") : t("offline") });

function drawChannels(view, choose) {
  const button = ({ id, name, nsfw, parent_id: parent }) => {
    const attributes = { type: "button", "aria-current": id === view.channel.id && "page", onclick: () => choose(id) };
    const mark = el("span", { class: "hash", "aria-hidden": "true" }, parent ? "↳ " : "# ");
    return el("li", { class: parent && "thread" }, el("button", attributes, mark, name, nsfw && el("small", {}, ` (${t("age-restricted")})`)));
  };
  const threads = (id) => view.channels.filter(({ parent_id: parent }) => parent === id);
  const inOrder = view.channels.filter(({ parent_id: parent }) => !parent).flatMap((one) => [one, ...threads(one.id)]);
  byId("channels").replaceChildren(...inOrder.map(button));
}

export function drawApp({ app }) {
  const label = el("span", {}, app.name, el("small", {}, app.online ? t("Online") : t("Offline")));
  byId("app").replaceChildren(avatar(app, 32), dot(app.online), label, el("span", { class: "badge" }, t("APP")));
  byId("app").classList.toggle("offline", !app.online);
}

export function drawMembers(members, userId, switchMember) {
  const button = (person) => {
    const attributes = { type: "button", "aria-pressed": String(person.id === userId), onclick: () => switchMember(person.id) };
    return el("button", attributes, avatar(person, 24), nameOf(person), person.roles.length > 0 && el("small", {}, ` (${person.roles.join(", ")})`));
  };
  const focused = byId("members").contains(document.activeElement);
  byId("members").replaceChildren(...members.map(button));
  if (focused) byId("members").querySelector('[aria-pressed="true"]')?.focus();
}

export function drawSidebar(view, { choose }) {
  const channel = view.channel.name;
  byId("guild").textContent = view.guild.name;
  byId("channel").textContent = channel;
  byId("welcome").textContent = t("Welcome to #{channel}", { channel });
  byId("messages").setAttribute("aria-label", t("Messages in #{channel}", { channel }));
  byId("locale").value = [...byId("locale").options].some(({ value }) => value === view.locale) ? view.locale : "en-US";
  document.title = `#${channel} · ${view.guild.name}`;
  drawChannels(view, choose);
  drawApp(view);
}

/** On a phone the sidebar is a drawer: while it is open, the rest only takes the tap that closes it. */
function wireDrawer() {
  const menu = byId("menu");
  const main = document.querySelector("main");
  const open = (isOpen) => {
    document.body.classList.toggle("menu-open", isOpen);
    menu.setAttribute("aria-expanded", String(isOpen));
    main.inert = isOpen;
    (isOpen ? byId("channels").querySelector("[aria-current]") : menu)?.focus({ preventScroll: true });
  };
  const close = () => document.body.classList.contains("menu-open") && open(false);
  menu.addEventListener("click", () => open(true));
  byId("scrim").addEventListener("click", close);
  byId("channels").addEventListener("click", close);
  byId("sidebar").addEventListener("keydown", ({ key }) => key === "Escape" && close());
  matchMedia("(max-width: 700px)").addEventListener("change", close);
}

export function wireSidebar({ onLocale }) {
  wireDrawer();
  byId("locale").addEventListener("change", ({ target }) => onLocale(target.value));
}
