"""Members, with everything that Discord's client checks before an interaction reaches the bot."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from playground.discord.command_input import (
    ON_MESSAGE,
    ON_USER,
    check_options,
    find_command,
    menu_data,
    slash_data,
)
from playground.discord.command_registration import GROUP
from playground.discord.component_input import RejectedByClient, modal_data, raw_modal_data, selected_values
from playground.discord.error_responses import ApiError
from playground.discord.messages import empty_message
from playground.discord.payloads import Json, snowflake
from playground.discord.posts import forward_message, post_message
from playground.discord.state import Channel, Interaction, Message, User

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playground.discord.uploaded_file import UploadedFile

_COMMAND, _COMPONENT, _AUTOCOMPLETE, _MODAL_SUBMIT = 2, 3, 4, 5
_BUTTON, _SELECT = 2, 3


class Member(User):
    """A user with a client: commands, buttons, selects, modals and menus."""

    async def command(self, name: str, /, *, channel: Channel | None = None, **options: Any) -> Interaction:
        """Use a slash command; `name` is "quota set" for a subcommand.

        Raises:
            RejectedByClient: Discord's client would not send it.
        """
        if find_command(self.commands, name.split(maxsplit=1)[0]) is None:
            raise RejectedByClient(f"There is no /{name} that you may use")
        command = find_command(self.discord.commands, name)
        if command is None or any(each["type"] <= GROUP for each in command.get("options", [])):
            raise RejectedByClient(f"/{name} is not complete")
        check_options(command, options, self, channel or self.discord.channel)
        return await self.send_raw(name, options, channel=channel)

    async def menu(self, name: str, target: Message | User, *, channel: Channel | None = None) -> Interaction:
        """Use a command of a message's or a user's context menu, such as "Who made this".

        Raises:
            RejectedByClient: Discord's client would not offer it.
        """
        kind = ON_MESSAGE if isinstance(target, Message) else ON_USER
        if (kind, name) not in {(each["type"], each["name"]) for each in self.commands}:
            raise RejectedByClient(f"There is no {name!r} in this menu")
        if isinstance(target, Message) and (target.is_ephemeral or not target.is_visible_to(self)):
            raise RejectedByClient("This message has no such menu")
        return await self.send_raw(name, target=target, channel=channel)

    async def press(self, message: Message, label: str = "", *, custom_id: str | None = None) -> Interaction:
        """Press a button by its label, by the part of the label before " · ", or by its custom_id.

        Raises:
            RejectedByClient: There is no such button, or it is disabled.
        """
        if custom_id is None:
            found = (part for text, part in message.buttons.items() if label in (text, text.split(" · ")[0]))
        else:
            found = (part for part in message.parts if part.get("custom_id") == custom_id)
        button = next(found, None)
        if button is None or button["type"] != _BUTTON or not message.is_visible_to(self):
            raise RejectedByClient(f"There is no button {label or custom_id!r}")
        if button["disabled"] or "custom_id" not in button:
            raise RejectedByClient(f"The button {label or custom_id!r} cannot be pressed")
        return await self.send_raw(custom_id=button["custom_id"], message=message)

    async def choose(self, message: Message, select: str, *values: object) -> Interaction:
        """Choose in a select, named by custom_id or placeholder: options by value or label, else objects.

        Raises:
            RejectedByClient: Discord's client would not send it.
            LookupError: The message has no such select.
        """
        part = message.select(select)
        if part["disabled"] or not message.is_visible_to(self):
            raise RejectedByClient(f"Nothing can be chosen in {select!r}")
        chosen, resolved = selected_values(part, values, self, message.channel)
        data = {"component_type": part["type"], "custom_id": part["custom_id"], "id": part["id"]}
        data |= {"values": chosen} | ({"resolved": resolved} if resolved else {})
        return self.send_interaction(_COMPONENT, data, message.channel, message)

    async def submit(self, modal: Interaction, **values: object) -> Interaction:
        """Submit the modal that answered an interaction, with values by custom_id.

        A value is a text, a boolean, a list of what to choose, the one choice of a radio group, or a list of
        `UploadedFile`; other fields keep their defaults.

        Raises:
            RejectedByClient: Discord's client would not send it.
        """
        if modal.modal is None or modal.user is not self:
            raise RejectedByClient("There is no form to fill in")
        data = modal_data(modal.modal, values, self, modal.channel)
        return self.send_interaction(_MODAL_SUBMIT, data, modal.channel, modal.source)

    async def complete(
        self, name: str, focused: str, text: str, /, *, channel: Channel | None = None, **options: Any
    ) -> Interaction:
        """Request autocomplete choices for an option; they arrive as the interaction's `choices`."""
        channel = channel or self.discord.channel
        data = slash_data(name, options | {focused: text}, self, channel, focused)
        return self.send_interaction(_AUTOCOMPLETE, data, channel)

    async def send_raw(
        self,
        name: str = "",
        options: Json | None = None,
        *,
        channel: Channel | None = None,
        custom_id: str | None = None,
        message: Message | None = None,
        target: Message | User | None = None,
        values: list[Any] | None = None,
        form: Json | None = None,
    ) -> Interaction:
        """Send an interaction without any of the client's checks.

        Args:
            name: A command, with `options`, or of the context menu of `target`.
            options: By name.
            channel: Where, if not in the message's channel or the first one.
            custom_id: Of a button, of a string select with `values`, or of a modal with `form`.
            message: The message of the component, or from which the modal was opened.
            target: The target of a context menu command.
            values: The chosen values.
            form: Texts, booleans, lists of chosen values or of files, by custom_id.
        """
        source = message or (target if isinstance(target, Message) else None)
        channel = channel or (source.channel if source else self.discord.channel)
        if target is not None:
            return self.send_interaction(_COMMAND, menu_data(name, target, self, channel), channel)
        if custom_id is None:
            return self.send_interaction(_COMMAND, slash_data(name, options or {}, self, channel), channel)
        if form is not None:
            return self.send_interaction(
                _MODAL_SUBMIT, raw_modal_data(custom_id, form, channel), channel, message
            )
        data: Json = {"custom_id": custom_id, "component_type": _BUTTON if values is None else _SELECT}
        data |= {} if values is None else {"values": values}
        message = message or Message(channel, empty_message(channel, 0))
        return self.send_interaction(_COMPONENT, data, channel, message)

    def say(
        self,
        content: str = "",
        channel: Channel | None = None,
        *,
        files: Sequence[UploadedFile] = (),
        stickers: Sequence[UploadedFile] = (),
    ) -> Message:
        """Write a message, with files or with stickers (PNG or GIF) that are named after the files.

        Raises:
            RejectedByClient: It is empty or too long, a file is too large, or the thread is archived.
        """
        channel = self._writable(channel)
        body = {"content": content.strip(), "allowed_mentions": {"parse": ["users", "roles"]}}
        try:
            return post_message(self, channel, body, files, stickers)
        except ApiError as error:
            raise RejectedByClient(str(error)) from None

    def forward(self, message: Message, channel: Channel | None = None) -> Message:
        """Forward a message.

        Raises:
            RejectedByClient: It is ephemeral, or this member can't see it or write there.
        """
        if message.is_ephemeral or not message.is_visible_to(self):
            raise RejectedByClient("This message cannot be forwarded")
        return forward_message(self, message, self._writable(channel))

    def _writable(self, channel: Channel | None) -> Channel:
        channel = channel or self.discord.channel
        if channel.is_archived or channel.recipient not in (None, self):
            raise RejectedByClient("You can't write here")
        return channel

    def dismiss(self, message: Message) -> None:
        """Dismiss an ephemeral message."""
        if not (message.is_ephemeral and message.is_visible_to(self)):
            raise RejectedByClient("This message cannot be dismissed")
        self.discord.delete(message)

    def delete(self, message: Message) -> None:
        """Delete a public message, as its author and moderators can."""
        is_own = message.data["author"]["id"] == self.id
        may_delete = is_own or self.permissions_in(message.channel.guild).manage_messages
        if message.is_ephemeral or message.is_deleted or not may_delete:
            raise RejectedByClient("You may not delete this message")
        self.discord.delete(message)

    def send_interaction(
        self, kind: int, data: Json, channel: Channel, source: Message | None = None
    ) -> Interaction:
        """Send an interaction of this type with this data."""
        guild, bot_id, owners = channel.guild, self.discord.application_id, "authorizing_integration_owners"
        payload: Json = {"id": snowflake(), "application_id": bot_id, "type": kind, "version": 1}
        payload |= {"token": secrets.token_urlsafe(48), "locale": self.locale, "entitlements": []}
        payload |= {"data": data, "channel": channel.payload, "channel_id": channel.id}
        payload |= {"app_permissions": str(channel.app_permissions.value)}
        payload |= {"attachment_size_limit": self.discord.attachment_size_limit}
        if guild is None:
            payload |= {"context": 1, owners: {"0": "0"}, "user": self.payload}
        else:
            payload |= {"context": 0, owners: {"0": guild.id}, "member": self.member_payload(guild)}
            payload["member"]["permissions"] = str(self.permissions_in(guild).value)
            payload |= {"guild": {"id": guild.id, "locale": guild.locale, "features": []}}
            payload |= {"guild_id": guild.id, "guild_locale": guild.locale}
        if source is not None:
            payload["message"] = _with_component(source.app_payload, data)
        interaction = Interaction(self, channel, {"t": "INTERACTION_CREATE", "d": payload}, source)
        self.discord.interactions[interaction.token] = interaction
        self.discord.send(interaction.event)
        return interaction


def _with_component(message: Json, data: Json) -> Json:
    """Add a raw component to the message: discord.py drops an interaction of one that is not on it."""
    parts = [part for row in message["components"] for part in row.get("components", [])]
    if "component_type" not in data or data["custom_id"] in [part.get("custom_id") for part in parts]:
        return message
    part: Json = {"type": _BUTTON, "id": 99, "style": 2, "label": "?", "custom_id": data["custom_id"]}
    if "values" in data:
        options = [{"label": each, "value": each} for each in data["values"]]
        part = {"type": _SELECT, "id": 99, "custom_id": data["custom_id"], "options": options}
        part |= {"min_values": 0, "max_values": 25}
    return message | {"components": [*message["components"], {"type": 1, "id": 98, "components": [part]}]}
