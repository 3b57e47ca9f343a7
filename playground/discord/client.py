"""What the page speaks: people, files, and a websocket on which one person lives."""

from __future__ import annotations

import asyncio
import json
import mimetypes
from typing import TYPE_CHECKING, Any

from aiohttp import web

from playground.discord.component_input import RejectedByClient
from playground.discord.state import Interaction, Message, NoResponse
from playground.discord.transport import JsonWebSocket

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.discord.local import LocalDiscord
    from playground.discord.members import Member
    from playground.discord.payloads import Json


class ClientServer:
    """The open pages: what they ask is done by the same methods that tests call."""

    def __init__(self, discord: LocalDiscord) -> None:
        self._discord = discord
        self._open: dict[JsonWebSocket, Member] = {}
        self._following: set[asyncio.Task[None]] = set()
        self.files = web.get("/attachments/{channel}/{id}/{name}", self._file)
        self.routes = [
            web.get("/client/people", self._people),
            web.get("/client/socket", self._socket),
            self.files,
        ]

    def broadcast(self, kind: str, data: Callable[[Member], Json | None]) -> None:
        """Tell every page what concerns its person, if anything."""
        for wire, person in self._open.items():
            if (told := data(person)) is not None:
                wire.send(_frame(kind, told))

    def broadcast_message(self, kind: str, message: Message) -> None:
        """Tell those who see this message."""
        gone = {"id": message.id, "channel_id": message.channel.id}
        told = gone if kind == "MESSAGE_DELETE" else _shown(message)
        self.broadcast(kind, lambda person: told if message.is_visible_to(person) else None)

    async def close(self) -> None:
        """Close every page's socket."""
        for wire in self._open:
            wire.close(1001)
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)

    async def _file(self, request: web.Request) -> web.Response:
        data = self._discord.uploads.get(request.match_info["id"])
        if data is None:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(request.path)[0] or "application/octet-stream"
        return web.Response(body=data, content_type=kind)

    async def _people(self, _: web.Request) -> web.Response:
        return web.json_response([person.profile for person in self._discord.members.values()])

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        people = {person.id: person for person in self._discord.members.values()}
        person = people.get(request.query.get("user", ""))
        if person is None:
            raise web.HTTPNotFound
        wire = JsonWebSocket()
        wire.send(_frame("READY", self._ready(person)))
        self._open[wire] = person
        try:
            async for frame in wire.frames(request):
                await self._receive(wire, person, frame)
        finally:
            del self._open[wire]
        return wire.socket

    def _ready(self, person: Member) -> Json:
        discord, channels = self._discord, self._discord.guild.channels
        roles = [{"id": role.id, "name": role.name} for role in discord.guild.roles]
        app = {"id": discord.application_id, "name": discord.bot["username"], "online": discord.is_online}
        return {
            "user": person.profile,
            "guild": {"id": discord.guild.id, "name": discord.guild.name, "roles": roles},
            "channels": [channel.payload for channel in channels],
            "people": [each.profile for each in discord.members.values()],
            "app": app,
            "commands": person.commands,
            "messages": {
                channel.id: [_shown(each) for each in person.visible_messages(channel)]
                for channel in channels
            },
            "locale": person.locale,
        }

    async def _receive(self, wire: JsonWebSocket, person: Member, frame: Json) -> None:
        nonce = frame.get("nonce")
        try:
            if interaction := await self._do(person, frame):
                self._following.add(task := asyncio.create_task(_follow(wire, nonce, interaction)))
                task.add_done_callback(self._following.discard)
        except (RejectedByClient, LookupError) as reason:
            wire.send(_frame("INTERACTION_FAILURE", {"nonce": nonce, "reason": str(reason)}))

    async def _do(self, person: Member, frame: Json) -> Interaction | None:
        match frame:
            case {"op": "command", "name": name, "channel_id": channel, "options": options}:
                return await person.command(name, channel=self._discord.channels[channel], **options)
            case {"op": "press", "message_id": message, "custom_id": custom_id}:
                return await person.press(self._discord.message(message), custom_id=custom_id)
            case {"op": "choose", "message_id": message, "custom_id": custom_id, "values": values}:
                return await person.choose(self._discord.message(message), custom_id, *values)
            case {"op": "submit", "token": token, "values": values}:
                return await person.submit(self._discord.interactions[token], **values)
            case {"op": "menu", "name": name, "message_id": message}:
                return await person.menu(name, self._discord.message(message))
            case {"op": "dismiss", "message_id": message}:
                person.dismiss(self._discord.message(message))
            case {"op": "delete", "message_id": message}:
                person.delete(self._discord.message(message))
            case {"op": "locale", "locale": locale}:
                person.locale = locale
            case _:
                raise RejectedByClient("This is not understood")
        return None


async def _follow(wire: JsonWebSocket, nonce: Any, interaction: Interaction) -> None:
    try:
        await interaction.acknowledged()
        if interaction.modal is not None:
            wire.send(_frame("FORM", interaction.modal | {"token": interaction.token}))
        wire.send(_frame("INTERACTION_SUCCESS", {"nonce": nonce}))
    except NoResponse as reason:
        wire.send(_frame("INTERACTION_FAILURE", {"nonce": nonce, "reason": str(reason)}))


def _frame(kind: str, data: Json) -> str:
    return json.dumps({"t": kind, "d": data})


def _shown(message: Message) -> Json:
    """Add the command's name, which Discord's app knows and its API does not tell bots."""
    if "interaction" not in message.data:
        return message.data
    metadata = message.data["interaction_metadata"] | {"name": message.data["interaction"]["name"]}
    return message.data | {"interaction_metadata": metadata}
