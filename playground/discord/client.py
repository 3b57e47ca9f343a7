"""What the page speaks: people, files, and a websocket on which one person lives."""

from __future__ import annotations

import asyncio
import json
import mimetypes
from typing import TYPE_CHECKING, Any

from aiohttp import web

from playground.discord.people import Person, Refused
from playground.discord.wires import Wire
from playground.discord.world import Interaction, Message, NoResponse

if TYPE_CHECKING:
    from playground.discord.local import LocalDiscord
    from playground.discord.shapes import Json


class Clients:
    """The open pages: what they ask is done by the same methods that tests call."""

    def __init__(self, discord: LocalDiscord) -> None:
        self._discord = discord
        self._open: dict[Wire, Person] = {}
        self._following: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the client API."""
        return [
            web.get("/client/people", self._people),
            web.get("/client/socket", self._socket),
        ]

    def file_routes(self) -> list[web.RouteDef]:
        """Return the route of uploaded files, which Discord's CDN serves too."""
        return [web.get("/attachments/{channel}/{id}/{name}", self._attachment)]

    async def _attachment(self, request: web.Request) -> web.Response:
        data = self._discord.uploads.get(request.match_info["id"])
        if data is None:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(request.match_info["name"])[0] or "application/octet-stream"
        return web.Response(body=data, content_type=kind)

    def tell(self, kind: str, data: Json) -> None:
        """Tell every page."""
        for wire in self._open:
            wire.send(_frame(kind, data))

    def tell_message(self, kind: str, message: Message) -> None:
        """Tell the pages of those who see this message."""
        for wire, person in self._open.items():
            if message.is_visible_to(person):
                deleted = {"id": message.id, "channel_id": message.channel.id}
                wire.send(_frame(kind, deleted if kind == "MESSAGE_DELETE" else _shown(message)))

    def tell_commands(self) -> None:
        """Tell every page the commands that its person may use."""
        for wire, person in self._open.items():
            wire.send(_frame("COMMANDS_UPDATE", {"commands": person.commands}))

    async def _people(self, _: web.Request) -> web.Response:
        return web.json_response([_person(person) for person in self._discord.people.values()])

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        person = next(
            (each for each in self._discord.people.values() if each.id == request.query.get("user")), None
        )
        if person is None:
            raise web.HTTPNotFound
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        wire = Wire(socket)
        wire.send(_frame("READY", self._ready(person)))
        self._open[wire] = person
        try:
            async for frame in wire.frames():
                await self._receive(wire, person, frame)
        finally:
            del self._open[wire]
        return socket

    def _ready(self, person: Person) -> Json:
        discord = self._discord
        app = {"id": discord.application_id, "name": discord.bot["username"], "online": discord.is_online}
        channels = discord.guild.channels
        return {
            "user": _person(person),
            "guild": {"id": discord.guild.id, "name": discord.guild.name},
            "channels": [{"id": channel.id, "name": channel.name} for channel in channels],
            "people": [_person(each) for each in discord.people.values()],
            "app": app,
            "commands": person.commands,
            "messages": {channel.id: [_shown(each) for each in person.sees(channel)] for channel in channels},
            "locale": person.locale,
        }

    async def _receive(self, wire: Wire, person: Person, frame: Json) -> None:
        try:
            interaction = await self._do(person, frame)
        except (Refused, LookupError) as reason:
            wire.send(_frame("INTERACTION_FAILURE", {"nonce": frame.get("nonce"), "reason": str(reason)}))
            return
        if interaction is not None:
            task = asyncio.create_task(self._follow(wire, frame.get("nonce"), interaction))
            self._following.add(task)
            task.add_done_callback(self._following.discard)

    async def _do(self, person: Person, frame: Json) -> Interaction | None:
        match frame:
            case {"op": "command", "name": name, "channel_id": channel, "options": options}:
                return await person.command(name, channel=self._discord.channels[channel], **options)
            case {"op": "press", "message_id": message, "custom_id": custom_id}:
                return await person.press(self._discord.message(message), custom_id=custom_id)
            case {"op": "dismiss", "message_id": message}:
                person.dismiss(self._discord.message(message))
            case {"op": "delete", "message_id": message}:
                person.delete(self._discord.message(message))
            case {"op": "locale", "locale": locale}:
                person.locale = locale
            case _:
                raise Refused("This is not understood")
        return None

    async def _follow(self, wire: Wire, nonce: Any, interaction: Interaction) -> None:
        try:
            await interaction.answered()
            wire.send(_frame("INTERACTION_SUCCESS", {"nonce": nonce}))
        except NoResponse as reason:
            wire.send(_frame("INTERACTION_FAILURE", {"nonce": nonce, "reason": str(reason)}))

    async def close(self) -> None:
        """Close every page's socket."""
        for wire in self._open:
            wire.close(1001)
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)


def _frame(kind: str, data: Json) -> str:
    return json.dumps({"t": kind, "d": data})


def _person(person: Person) -> Json:
    names = {"id": person.id, "username": person.name, "global_name": person.user["global_name"]}
    return names | {"color": person.color, "is_manager": person.is_manager}


def _shown(message: Message) -> Json:
    """Add the command's name, which Discord's app knows and its API does not tell bots."""
    if "interaction" not in message.data:
        return message.data
    metadata = message.data["interaction_metadata"] | {"name": message.data["interaction"]["name"]}
    return message.data | {"interaction_metadata": metadata}
