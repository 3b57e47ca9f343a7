// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-type
export const TYPE = { subcommand: 1, group: 2, string: 3, integer: 4, boolean: 5, user: 6, channel: 7, role: 8, mentionable: 9, number: 10 };

/** `field` ("name" or "description") of a command, option or choice in the viewer's language. */
export function localised(thing, field, locale) {
  return thing[`${field}_localizations`]?.[locale] ?? thing[field];
}

/** Every invocable command, subcommands as entries of their own: what is sent, what is shown, its options. */
export function entries(commands, locale) {
  const walk = (thing, above) => {
    const path = { name: [...above.name, thing.name], title: [...above.title, localised(thing, "name", locale)] };
    const inner = (thing.options ?? []).filter(({ type }) => type === TYPE.subcommand || type === TYPE.group);
    if (inner.length) return inner.flatMap((one) => walk(one, path));
    const description = localised(thing, "description", locale);
    return [{ name: path.name.join(" "), title: path.title.join(" "), description, options: thing.options ?? [] }];
  };
  return commands.filter(({ type }) => (type ?? 1) === 1).flatMap((one) => walk(one, { name: [], title: [] }));
}

/** The commands in every message's menu, as {name, label}. */
export function messageCommands({ commands, locale }) {
  return commands.filter(({ type }) => type === 3).map((one) => ({ name: one.name, label: localised(one, "name", locale) }));
}

/** What an option may be set to, as {label, value}, or undefined where it is typed freely. */
export function choicesOf(option, { locale, people, channels, guild }) {
  if (option.choices?.length) {
    return option.choices.map((one) => ({ label: localised(one, "name", locale), value: one.value }));
  }
  if (option.type === TYPE.boolean) return [{ label: "True", value: true }, { label: "False", value: false }];
  const isHere = ({ guild_id: id, type }) => id === guild.id && (option.channel_types ?? [type]).includes(type);
  const everybody = people.map(({ id, username }) => ({ label: username, value: id }));
  const roles = guild.roles.map(({ id, name }) => ({ label: `@${name.replace(/^@/, "")}`, value: id }));
  if (option.type === TYPE.user) return everybody;
  if (option.type === TYPE.role) return roles;
  if (option.type === TYPE.mentionable) return [...everybody, ...roles];
  if (option.type === TYPE.channel) return channels.filter(isHere).map(({ id, name }) => ({ label: name, value: id }));
  return undefined;
}

/** "1 to 4", "at least 1", or nothing. */
export function range({ min_value: least, max_value: most }) {
  if (least !== undefined && most !== undefined) return `${least} to ${most}`;
  if (least !== undefined) return `at least ${least}`;
  return most === undefined ? "" : `at most ${most}`;
}

function readNumber(option, text) {
  const whole = option.type === TYPE.integer;
  const value = Number(text);
  if (!(whole ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)$/).test(text)) return { problem: whole ? "a whole number" : "a number" };
  if (!Number.isFinite(value) || (whole && !Number.isSafeInteger(value))) return { problem: "too large a number" };
  if (value < option.min_value || value > option.max_value) return { problem: range(option) };
  return { value };
}

function readText({ min_length: least = 0, max_length: most = 6000 }, text) {
  if (text.length < least) return { problem: `at least ${least} characters` };
  return text.length > most ? { problem: `at most ${most} characters` } : { value: text };
}

/** What was typed for an option: {value}, or {problem} in a few words. */
export function read(option, typed, context) {
  const text = typed.trim();
  if (!text) return { problem: option.required ? "required" : "empty" };
  const choices = choicesOf(option, context);
  if (choices) {
    const choice = choices.find(({ label }) => label.toLowerCase() === text.toLowerCase());
    return choice ? { value: choice.value } : { problem: "one of the list" };
  }
  const isNumber = option.type === TYPE.integer || option.type === TYPE.number;
  return isNumber ? readNumber(option, text) : readText(option, text);
}
