"""People, and all that Discord's app does for them before anything reaches the bot."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from discord import Permissions

from playground.discord import command_input, component_input, payloads
from playground.discord.command_registration import ENTRY_POINT, GROUP
from playground.discord.component_input import RejectedByClient
from playground.discord.guild import Channel, Guild, Role, default_permissions
from playground.discord.payloads import Json, now, snowflake
from playground.discord.state import Interaction, Message, empty_message

if TYPE_CHECKING:
    from playground.discord.local import LocalDiscord

_COMMAND, _COMPONENT, _AUTOCOMPLETE, _MODAL = 2, 3, 4, 5
_TO_BOT = Permissions(attach_files=True, embed_links=True, mention_everyone=True, external_emojis=True)


@dataclass(eq=False)
class Member:
    """A member of every guild, with `roles` of any; `locale` is the language of their app."""

    discord: LocalDiscord
    name: str
    color: str
    is_manager: bool = False
    locale: str = "en-US"
    takes_direct_messages: bool = True
    roles: list[Role] = field(default_factory=list)
    id: str = field(default_factory=snowflake)

    @cached_property
    def direct_messages(self) -> Channel:
        """The channel between this person and the bot."""
        return Channel(self.discord, self.name, recipient=self, app_permissions=_TO_BOT)

    @property
    def user_payload(self) -> Json:
        """The User object."""
        return payloads.user(self.id, self.name, global_name=self.name.title())

    def roles_in(self, guild: Guild | None) -> list[Role]:
        """Which roles of a guild this person has."""
        managers = [guild.managers] if guild is not None and self.is_manager else []
        return managers + [role for role in self.roles if role.guild is guild]

    def permissions_in(self, guild: Guild | None) -> Permissions:
        """What this person may do in any channel of a guild, or outside of all."""
        permissions = default_permissions()
        for role in self.roles_in(guild):
            permissions |= role.permissions
        return permissions

    @property
    def profile(self) -> Json:
        """This person as the page lists people."""
        roles = self.roles_in(self.discord.guild)
        card: Json = {"id": self.id, "username": self.name, "global_name": self.user_payload["global_name"]}
        card |= {"color": self.color, "is_manager": self.is_manager, "roles": [role.name for role in roles]}
        return card | {"is_moderator": self.permissions_in(self.discord.guild).manage_messages}

    @property
    def commands(self) -> list[Json]:
        """The commands that this person's app lists."""
        offered = [each for each in self.discord.commands if each["type"] != ENTRY_POINT]
        return [each for each in offered if self._can_use(each["default_member_permissions"])]

    def _can_use(self, bits: str | None) -> bool:
        may = self.permissions_in(self.discord.guild)
        return bits is None or (bits != "0" and may >= Permissions(int(bits)))

    def visible_messages(self, channel: Channel) -> list[Message]:
        """The messages of a channel that are shown to this person."""
        return [message for message in channel.messages if message.is_visible_to(self)]

    async def command(self, name: str, *, channel: Channel | None = None, **options: Any) -> Interaction:
        """Use a slash command; `name` is "quota set" for a subcommand.

        Raises:
            Refused: Discord's app would not have sent it.
        """
        if command_input.find_command(self.commands, name.split(maxsplit=1)[0]) is None:
            raise RejectedByClient(f"There is no /{name} that you may use")
        definition = command_input.find_command(self.discord.commands, name)
        if definition is None or any(each["type"] <= GROUP for each in definition.get("options", [])):
            raise RejectedByClient(f"/{name} is not complete")
        command_input.check_options(definition, options, self, channel or self.discord.channel)
        return await self.send_raw(name, options, channel=channel)

    async def menu(
        self, name: str, target: Message | Member, *, channel: Channel | None = None
    ) -> Interaction:
        """Use a command of a message's menu or a person's, such as "Who made this".

        Raises:
            Refused: Discord's app would not have offered it.
        """
        kind = command_input.ON_MESSAGE if isinstance(target, Message) else command_input.ON_USER
        if (kind, name) not in {(each["type"], each["name"]) for each in self.commands}:
            raise RejectedByClient(f"There is no {name!r} in this menu")
        if isinstance(target, Message) and (target.is_ephemeral or not target.is_visible_to(self)):
            raise RejectedByClient("This message has no such menu")
        return await self.send_raw(name, target=target, channel=channel)

    async def press(self, message: Message, label: str = "", *, custom_id: str | None = None) -> Interaction:
        """Press a button by its label or what stands there before a " · ", or by its custom_id.

        Raises:
            Refused: It is not there to be pressed.
        """
        if custom_id is None:
            found = (part for text, part in message.buttons.items() if label in (text, text.split(" · ")[0]))
        else:
            found = (part for part in message.buttons.values() if part.get("custom_id") == custom_id)
        button = next(found, None)
        if button is None or not message.is_visible_to(self):
            raise RejectedByClient(f"There is no button {label or custom_id!r}")
        if button["disabled"] or "custom_id" not in button:
            raise RejectedByClient(f"The button {label or custom_id!r} cannot be pressed")
        return await self.send_raw(custom_id=button["custom_id"], message=message)

    async def choose(self, message: Message, select: str, *values: object) -> Interaction:
        """Choose in a select, named by custom_id or placeholder: options by value or label, else who or what.

        Raises:
            Refused: Discord's app would not have sent it.
            LookupError: The message has no such select.
        """
        part = message.select(select)
        if part["disabled"] or not message.is_visible_to(self):
            raise RejectedByClient(f"Nothing can be chosen in {select!r}")
        chosen, resolved = component_input.selected_values(part, values, self, message.channel)
        data = {"component_type": part["type"], "custom_id": part["custom_id"], "id": part["id"]}
        data |= {"values": chosen} | ({"resolved": resolved} if resolved else {})
        return self.interact(_COMPONENT, data, message.channel, message)

    async def submit(self, form: Interaction, **values: object) -> Interaction:
        """Fill in the form that answered an interaction: custom_id=text, or what to choose in a list.

        Raises:
            Refused: Discord's app would not have sent it.
        """
        if form.modal is None or form.user is not self:
            raise RejectedByClient("There is no form to fill in")
        data = component_input.modal_data(form.modal, values, self, form.channel)
        return self.interact(_MODAL, data, form.channel, form.source)

    async def send_raw(
        self,
        name: str = "",
        options: Json | None = None,
        *,
        channel: Channel | None = None,
        custom_id: str | None = None,
        message: Message | None = None,
        target: Message | Member | None = None,
        values: list[Any] | None = None,
        form: Json | None = None,
    ) -> Interaction:
        """Send what nobody has checked.

        Args:
            name: A command, with `options`, or of the menu of its `target`.
            options: By name.
            channel: Where, if it is not the message's or the first one.
            custom_id: Any button of any `message`, or a string select with `values`, or a `form`.
            message: Where the component is, or that the form was opened from.
            target: Whose menu it was.
            values: What was chosen.
            form: Texts, or lists of what was chosen, by custom_id.
        """
        source = message or (target if isinstance(target, Message) else None)
        where = channel or (source.channel if source else self.discord.channel)
        if target is not None:
            return self.interact(_COMMAND, command_input.menu_data(name, target, self, where), where)
        if custom_id is None:
            return self.interact(_COMMAND, command_input.slash_data(name, options or {}, self, where), where)
        if form is not None:
            return self.interact(_MODAL, component_input.raw_modal_data(custom_id, form), where, message)
        data: Json = {"custom_id": custom_id, "component_type": 2 if values is None else 3}
        data |= {} if values is None else {"values": values}
        return self.interact(
            _COMPONENT, data, where, message or Message(where, empty_message(where, 0, None))
        )

    async def complete(self, name: str, focused: str, text: str, **options: Any) -> Interaction:
        """Ask for an option's suggestions; they come as the interaction's `choices`."""
        where = self.discord.channel
        data = command_input.slash_data(name, options | {focused: text}, self, where, focused)
        return self.interact(_AUTOCOMPLETE, data, where)

    def dismiss(self, message: Message) -> None:
        """Make an ephemeral message go away."""
        if not (message.is_ephemeral and message.is_visible_to(self)):
            raise RejectedByClient("This message cannot be dismissed")
        self.discord.delete(message)

    def delete(self, message: Message) -> None:
        """Delete a public message as a moderator may."""
        may = self.permissions_in(message.channel.guild)
        if message.is_ephemeral or message.is_deleted or not may.manage_messages:
            raise RejectedByClient("You may not delete this message")
        self.discord.delete(message)

    def interact(self, kind: int, data: Json, channel: Channel, source: Message | None = None) -> Interaction:
        """Send an interaction as it is given."""
        guild, bot_id, owners = channel.guild, self.discord.application_id, "authorizing_integration_owners"
        shape: Json = {"id": snowflake(), "application_id": bot_id, "type": kind, "version": 1, "data": data}
        shape |= {"token": secrets.token_urlsafe(48), "locale": self.locale, "entitlements": []}
        shape |= {"channel": channel.payload, "channel_id": channel.id}
        shape |= {"app_permissions": str(channel.app_permissions.value)}
        shape |= {"attachment_size_limit": self.discord.attachment_size_limit}
        if guild is None:
            shape |= {"context": 1, owners: {"0": "0"}, "user": self.user_payload}
        else:
            shape |= {"context": 0, owners: {"0": guild.id}, "member": self.member_payload(channel)}
            shape |= {"guild": {"id": guild.id, "locale": guild.locale, "features": []}}
            shape |= {"guild_id": guild.id, "guild_locale": guild.locale}
        if source is not None:
            shape["message"] = _bearing(source.data, data)
        interaction = Interaction(self, channel, {"t": "INTERACTION_CREATE", "d": shape}, source)
        self.discord.interactions[interaction.token] = interaction
        self.discord.send(interaction.event)
        return interaction

    def member_payload(self, channel: Channel) -> Json:
        """The member object, with the permissions in this channel."""
        shape: Json = dict.fromkeys(("nick", "avatar", "premium_since", "communication_disabled_until"))
        shape |= {"user": self.user_payload, "joined_at": now(), "flags": 0}
        shape |= dict.fromkeys(("deaf", "mute", "pending"), False)
        shape |= {"roles": [role.id for role in self.roles_in(channel.guild)]}
        return shape | {"permissions": str(self.permissions_in(channel.guild).value)}


def _bearing(message: Json, pressed: Json) -> Json:
    """Put a forged component on the message: discord.py drops a press of one that is not there."""
    parts = [part for row in message["components"] for part in row["components"]]
    there = [part.get("custom_id") for part in parts]
    if "component_type" not in pressed or pressed["custom_id"] in there:
        return message
    part: Json = {"type": 2, "id": 99, "style": 2, "label": "?", "custom_id": pressed["custom_id"]}
    if "values" in pressed:
        options = [{"label": each, "value": each} for each in pressed["values"]]
        part = {"type": 3, "id": 99, "custom_id": pressed["custom_id"], "options": options}
        part |= {"min_values": 0, "max_values": 25}
    return message | {"components": [*message["components"], {"type": 1, "id": 98, "components": [part]}]}
