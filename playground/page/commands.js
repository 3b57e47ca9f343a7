import { nameOf } from "./dom.js";
import { t } from "./words.js";

// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-type
export const TYPE = { subcommand: 1, group: 2, string: 3, integer: 4, boolean: 5, user: 6, channel: 7, role: 8, mentionable: 9, number: 10, attachment: 11 };

/** Return `field` ("name" or "description") of a command, option or choice in the viewer's language. */
export function localized(thing, field, locale) {
  return thing[`${field}_localizations`]?.[locale] ?? thing[field];
}

/** Return every command and subcommand as {name, title, description, options}: `name` is sent, `title` is shown. */
export function entries(commands, locale) {
  const walk = (thing, above) => {
    const path = { name: [...above.name, thing.name], title: [...above.title, localized(thing, "name", locale)] };
    const inner = (thing.options ?? []).filter(({ type }) => type === TYPE.subcommand || type === TYPE.group);
    if (inner.length) return inner.flatMap((one) => walk(one, path));
    const description = localized(thing, "description", locale);
    return [{ name: path.name.join(" "), title: path.title.join(" "), description, options: thing.options ?? [] }];
  };
  return commands.filter(({ type }) => (type ?? 1) === 1).flatMap((one) => walk(one, { name: [], title: [] }));
}

/** The types of context menu commands: of a user, of a message. */
export const ON_USER = 2, ON_MESSAGE = 3;

/** Return the context menu commands of a type as {name, label}. */
export function menuCommands({ commands, locale }, kind) {
  return commands.filter(({ type }) => type === kind).map((one) => ({ name: one.name, label: localized(one, "name", locale) }));
}

/** Return an option's choices as {label, value, user}, or undefined for free input. */
export function choicesOf(option, { locale, members, channels, guild }) {
  if (option.choices?.length) {
    return option.choices.map((one) => ({ label: localized(one, "name", locale), value: one.value }));
  }
  if (option.type === TYPE.boolean) return [{ label: "True", value: true }, { label: "False", value: false }];
  const isHere = ({ guild_id: id, type }) => id === guild.id && (option.channel_types ?? [type]).includes(type);
  const allMembers = members.map((user) => ({ label: nameOf(user), value: user.id, user }));
  const roles = guild.roles.map(({ id, name }) => ({ label: `@${name.replace(/^@/, "")}`, value: id }));
  if (option.type === TYPE.user) return allMembers;
  if (option.type === TYPE.role) return roles;
  if (option.type === TYPE.mentionable) return [...allMembers, ...roles];
  if (option.type === TYPE.channel) return channels.filter(isHere).map(({ id, name }) => ({ label: name, value: id }));
  return undefined;
}

/** Return an option's range: "1 to 4", "at least 1", or an empty string. */
export function range({ min_value: least, max_value: most }) {
  if (least !== undefined && most !== undefined) return t("{least} to {most}", { least, most });
  if (least !== undefined) return t("at least {least}", { least });
  return most === undefined ? "" : t("at most {most}", { most });
}

function readNumber(option, text) {
  const whole = option.type === TYPE.integer;
  const value = Number(text);
  if (!(whole ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)$/).test(text)) return { problem: whole ? t("a whole number") : t("a number") };
  if (!Number.isFinite(value) || (whole && !Number.isSafeInteger(value))) return { problem: t("a smaller number") };
  if (value < option.min_value || value > option.max_value) return { problem: range(option) };
  return { value };
}

function readText({ min_length: least = 0, max_length: most = 6000 }, text) {
  if (text.length < least) return { problem: t("at least {least} characters", { least }) };
  return text.length > most ? { problem: t("at most {most} characters", { most }) } : { value: text };
}

/** Parse the text typed for an option: return {value}, or {problem} in a few words. */
export function read(option, typed, context) {
  const text = typed.trim();
  if (!text) return { problem: option.required ? "required" : "empty" };
  const choices = choicesOf(option, context);
  if (choices) {
    const choice = choices.find(({ label }) => label.toLowerCase() === text.toLowerCase());
    return choice ? { value: choice.value } : { problem: t("one of the list") };
  }
  const isNumber = option.type === TYPE.integer || option.type === TYPE.number;
  return isNumber ? readNumber(option, text) : readText(option, text);
}
