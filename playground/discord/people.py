"""People, and all that Discord's app does for them before anything reaches the bot."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from discord import Permissions

from playground.discord import registration as kinds
from playground.discord import shapes
from playground.discord.shapes import Json, now, snowflake
from playground.discord.world import Channel, Interaction, Message, blank, everyday

if TYPE_CHECKING:
    from playground.discord.local import LocalDiscord

_COMMAND, _COMPONENT, _AUTOCOMPLETE, _MODAL = 2, 3, 4, 5
_GUESSES = {str: kinds.STRING, bool: kinds.BOOLEAN, int: kinds.INTEGER, float: kinds.NUMBER}
_NUMBERS = (kinds.INTEGER, kinds.NUMBER)
_TO_BOT = Permissions(attach_files=True, embed_links=True, mention_everyone=True, external_emojis=True)


class Refused(Exception):  # noqa: N818 - Discord's app refuses; nothing has gone wrong
    """What Discord's app does not let a person do, with the reason it shows."""


@dataclass(eq=False)
class Person:
    """A member of every guild; `locale` is the language of their app."""

    discord: LocalDiscord
    name: str
    color: str
    is_manager: bool = False
    locale: str = "en-US"
    takes_direct_messages: bool = True
    id: str = field(default_factory=snowflake)

    @cached_property
    def direct_messages(self) -> Channel:
        """The channel between this person and the bot."""
        return Channel(self.discord, self.name, recipient=self, app_permissions=_TO_BOT)

    @property
    def user(self) -> Json:
        """The User object."""
        return shapes.user(self.id, self.name, global_name=self.name.title())

    @property
    def permissions(self) -> Permissions:
        """What this person may do in any channel."""
        may = everyday()
        may.update(manage_guild=self.is_manager, manage_messages=self.is_manager)
        return may

    @property
    def card(self) -> Json:
        """This person as the page lists people."""
        names = {"id": self.id, "username": self.name, "global_name": self.user["global_name"]}
        return names | {"color": self.color, "is_manager": self.is_manager}

    @property
    def commands(self) -> list[Json]:
        """The commands that this person's app lists."""
        return [each for each in self.discord.commands if self._may_use(each["default_member_permissions"])]

    def _may_use(self, bits: str | None) -> bool:
        return bits is None or (bits != "0" and self.permissions >= Permissions(int(bits)))

    def sees(self, channel: Channel) -> list[Message]:
        """The messages of a channel that are shown to this person."""
        return [message for message in channel.messages if message.is_visible_to(self)]

    async def command(self, name: str, *, channel: Channel | None = None, **options: Any) -> Interaction:
        """Use a slash command; `name` is "quota set" for a subcommand.

        Raises:
            Refused: Discord's app would not have sent it.
        """
        if name.split(maxsplit=1)[0] not in {each["name"] for each in self.commands}:
            raise Refused(f"There is no /{name} that you may use")
        definition = _definition(self.discord.commands, name)
        if definition is None or any(each["type"] <= kinds.GROUP for each in definition.get("options", [])):
            raise Refused(f"/{name} is not complete")
        known = {each["name"]: each for each in definition.get("options", [])}
        for option in known.values():
            if option["name"] in options:
                _check(option, options[option["name"]])
            elif option.get("required"):
                raise Refused(f"{option['name']}: this option is required")
        if unknown := set(options) - set(known):
            raise Refused(f"There is no option {unknown.pop()}")
        return await self.forge(name, options, channel=channel)

    async def press(self, message: Message, label: str = "", *, custom_id: str | None = None) -> Interaction:
        """Press a button by its label, or by its custom_id.

        Raises:
            Refused: It is not there to be pressed.
        """
        wanted = ("label", label) if custom_id is None else ("custom_id", custom_id)
        buttons = [part for row in message.components for part in row["components"]]
        button = next((part for part in buttons if part.get(wanted[0]) == wanted[1]), None)
        if button is None or not message.is_visible_to(self):
            raise Refused(f"There is no button {wanted[1]!r}")
        if button["disabled"] or "custom_id" not in button:
            raise Refused(f"The button {wanted[1]!r} cannot be pressed")
        return await self.forge(custom_id=button["custom_id"], message=message)

    async def submit(self, form: Interaction, **values: str) -> Interaction:
        """Fill in the form that answered an interaction: custom_id=text."""
        if form.modal is None:
            raise Refused("There is no form to fill in")
        fields = [{"type": 4, "custom_id": key, "value": value} for key, value in values.items()]
        rows = [{"type": 1, "components": [each]} for each in fields]
        data = {"custom_id": form.modal["custom_id"], "components": rows}
        return self.interact(_MODAL, data, form.channel, form.source)

    async def forge(
        self,
        name: str = "",
        options: Json | None = None,
        *,
        channel: Channel | None = None,
        custom_id: str | None = None,
        message: Message | None = None,
    ) -> Interaction:
        """Send a command, or a press of any custom_id on any message, that nobody has checked."""
        where = channel or (message.channel if message else self.discord.channel)
        if custom_id is None:
            return self.interact(_COMMAND, self._command_data(name, options or {}, where), where)
        source = message or Message(where, blank(where, 0, None))
        return self.interact(_COMPONENT, {"custom_id": custom_id, "component_type": 2}, where, source)

    async def complete(self, name: str, focused: str, text: str, **options: Any) -> Interaction:
        """Ask for an option's suggestions; they come as the interaction's `choices`."""
        data = self._command_data(name, options | {focused: text}, self.discord.channel, focused)
        return self.interact(_AUTOCOMPLETE, data, self.discord.channel)

    def dismiss(self, message: Message) -> None:
        """Make an ephemeral message go away."""
        if not (message.is_ephemeral and message.is_visible_to(self)):
            raise Refused("This message cannot be dismissed")
        self.discord.remove(message)

    def delete(self, message: Message) -> None:
        """Delete a public message as a manager may."""
        if message.is_ephemeral or message.is_deleted or not self.is_manager:
            raise Refused("You may not delete this message")
        self.discord.remove(message)

    def interact(self, kind: int, data: Json, channel: Channel, source: Message | None = None) -> Interaction:
        """Send an interaction as it is given."""
        guild, bot_id, owners = channel.guild, self.discord.application_id, "authorizing_integration_owners"
        shape: Json = {"id": snowflake(), "application_id": bot_id, "type": kind, "version": 1, "data": data}
        shape |= {"token": secrets.token_urlsafe(48), "locale": self.locale, "entitlements": []}
        shape |= {"channel": channel.shape, "channel_id": channel.id}
        shape |= {"app_permissions": str(channel.app_permissions.value)}
        shape |= {"attachment_size_limit": self.discord.attachment_size_limit}
        if guild is None:
            shape |= {"context": 1, owners: {"0": "0"}, "user": self.user}
        else:
            shape |= {"context": 0, owners: {"0": guild.id}, "member": self.member(channel)}
            shape |= {"guild": {"id": guild.id, "locale": guild.locale, "features": []}}
            shape |= {"guild_id": guild.id, "guild_locale": guild.locale}
        if source is not None:
            shape["message"] = _bearing(source.data, data)
        interaction = Interaction(self, channel, {"t": "INTERACTION_CREATE", "d": shape}, source)
        self.discord.interactions[interaction.token] = interaction
        self.discord.send(interaction.event)
        return interaction

    def member(self, channel: Channel) -> Json:
        """The member object, with the permissions in this channel."""
        shape: Json = dict.fromkeys(("nick", "avatar", "premium_since", "communication_disabled_until"))
        shape |= {"user": self.user, "joined_at": now(), "flags": 0}
        shape |= dict.fromkeys(("deaf", "mute", "pending"), False)
        roles = [channel.guild.managers_id] if channel.guild and self.is_manager else []
        return shape | {"roles": roles, "permissions": str(self.permissions.value)}

    def _command_data(self, name: str, values: Json, channel: Channel, focused: str = "") -> Json:
        root, *path = name.split()
        command = _definition(self.discord.commands, root) or {"id": snowflake()}
        definition = _definition(self.discord.commands, name) or {}
        known = {each["name"]: each["type"] for each in definition.get("options", [])}
        resolved: Json = {key: {} for key in ("users", "members", "roles", "channels")}
        options = []
        for key, value in values.items():
            kind = known.get(key) or _GUESSES.get(type(value), kinds.USER)
            options.append({"name": key, "type": kind, "value": _plain(value)})
            options[-1] |= {"focused": True} if key == focused else {}
            self._resolve(resolved, kind, _plain(value), channel)
        for depth, word in enumerate(reversed(path)):
            kind = kinds.GROUP if depth else kinds.SUBCOMMAND
            options = [{"name": word, "type": kind, "options": options}]
        return {"id": command["id"], "name": root, "type": 1, "options": options, "resolved": resolved}

    def _resolve(self, resolved: Json, kind: int, key: Any, channel: Channel) -> None:
        """Add the object behind an id."""
        if kind == kinds.USER:
            for person in (each for each in self.discord.people.values() if each.id == key):
                resolved["users"][key], resolved["members"][key] = person.user, person.member(channel)
        elif kind == kinds.ROLE and channel.guild is not None:
            resolved["roles"] |= {role["id"]: role for role in channel.guild.roles if role["id"] == key}
        elif kind == kinds.CHANNEL and key in self.discord.channels:
            resolved["channels"][key] = self.discord.channels[key].shape


def _bearing(message: Json, pressed: Json) -> Json:
    """Put a forged button on the message: discord.py drops a press of one that is not there."""
    parts = [part for row in message["components"] for part in row["components"]]
    there = [part.get("custom_id") for part in parts]
    if "component_type" not in pressed or pressed["custom_id"] in there:
        return message
    button = {"type": 2, "id": 99, "style": 2, "label": "?", "custom_id": pressed["custom_id"]}
    return message | {"components": [*message["components"], {"type": 1, "id": 98, "components": [button]}]}


def _plain(value: Any) -> Any:
    return value.id if isinstance(value, Person | Channel) else value


def _definition(commands: list[Json], name: str) -> Json | None:
    node: Json | None = {"options": commands}
    for word in name.split():
        node = next((each for each in (node or {}).get("options", []) if each["name"] == word), None)
    return node


def _check(option: Json, given: Any) -> None:
    """Raise Refused for a value that the app would not take."""
    name, kind = option["name"], option["type"]
    value: Any = _plain(given)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not isinstance(value, kinds.TYPES.get(kind, ())) or (kind in _NUMBERS and not is_number):
        raise Refused(f"{name}: {value!r} is not what this option takes")
    if option.get("choices") and value not in [choice["value"] for choice in option["choices"]]:
        raise Refused(f"{name}: {value!r} is not among the choices")
    size = len(str(value)) if kind == kinds.STRING else value
    least, most = ("min_length", "max_length") if kind == kinds.STRING else ("min_value", "max_value")
    if (least in option and size < option[least]) or (most in option and size > option[most]):
        raise Refused(f"{name}: must be within {option.get(least)} and {option.get(most)}")
