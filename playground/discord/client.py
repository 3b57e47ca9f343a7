"""The page's server: members, files, and a websocket on which one member acts."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web
from yarl import URL

from playground.clock import CLOCK
from playground.discord.component_input import RejectedByClient
from playground.discord.payloads import snowflake
from playground.discord.state import Interaction, NoResponse
from playground.discord.transport import LOOPBACK, JsonWebSocket
from playground.discord.uploaded_file import UploadedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp.typedefs import Handler

    from playground.discord.members import Member
    from playground.discord.payloads import Json
    from playground.discord.state import State, User

_COLORS = (
    "#5865f2",
    "#c2307c",
    "#2f7d46",
    "#a85400",
    "#8e44ad",
    "#11806a",
)  # white letters are readable on these
_LOCAL_NAMES = {LOOPBACK, "localhost"}


@web.middleware
async def same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other sites' pages, whose requests a browser sends to any port of its machine.

    A site can also let its own name lead to this machine, so that its pages have this origin.
    """
    origin = request.headers.get("Origin")
    if request.url.host not in _LOCAL_NAMES or (origin and URL(origin).authority != request.host):
        raise web.HTTPForbidden
    return await handler(request)


class ClientServer:
    """The open pages; their actions call the same methods of `Member` as tests do."""

    def __init__(self, state: State, members: Mapping[str, Member]) -> None:
        self._state = state
        self._members = members
        self._open: dict[JsonWebSocket, Member] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._uploads: dict[str, UploadedFile] = {}
        self.routes = [
            web.get("/client/members", self._list_members),
            web.get("/client/socket", self._serve_socket),
            web.post("/client/uploads", self._take_upload),
            *state.cdn.page_routes(),
        ]

    def broadcast(self, kind: str, data: Callable[[User], Json | None]) -> None:
        """Send every page what concerns its member; None sends nothing."""
        for websocket, member in self._open.items():
            if (event := data(member)) is not None:
                websocket.send(_frame(kind, event))

    async def close(self) -> None:
        """Close every page's socket."""
        for websocket in self._open:
            websocket.close(1001)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _list_members(self, _: web.Request) -> web.Response:
        return web.json_response(self._profiles())

    async def _take_upload(self, request: web.Request) -> web.Response:
        """Take a file, which a later frame can use once; "$" is in no option's name."""
        most, size = self._state.attachment_size_limit, request.content_length or 0
        if size > most:
            raise web.HTTPRequestEntityTooLarge(most, size)
        file = UploadedFile(request.query["name"], await request.read(), request.content_type)
        self._uploads[key := snowflake()] = file
        return web.json_response({"$file": key})

    def _given(self, value: Any) -> Any:
        """Replace references to uploads by the files, at every depth."""
        if isinstance(value, list):
            return [self._given(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "$file" in value:
            return self._uploads.pop(value["$file"])
        return {key: self._given(each) for key, each in value.items()}

    def _profiles(self) -> list[Json]:
        return [
            _profile(member, _COLORS[index % len(_COLORS)])
            for index, member in enumerate(self._members.values())
        ]

    async def _serve_socket(self, request: web.Request) -> web.WebSocketResponse:
        members = {member.id: member for member in self._members.values()}
        member = members.get(request.query.get("user", ""))
        if member is None:
            raise web.HTTPNotFound
        websocket = JsonWebSocket()
        websocket.send(_frame("READY", self._ready(member)))
        self._open[websocket] = member
        try:
            async for frame in websocket.frames(request):
                await self._receive(websocket, member, frame)
        finally:
            del self._open[websocket]
        return websocket.socket

    def _ready(self, member: Member) -> Json:
        state, guild, profiles = self._state, self._state.guild, self._profiles()
        channels = [*guild.channels, *([member.direct_messages] if member.direct_messages.messages else [])]
        messages = {
            channel.id: [each.client_payload for each in member.visible_messages(channel)]
            for channel in channels
        }
        roles = [{"id": role.id, "name": role.name} for role in guild.roles]
        return {
            "user": next(each for each in profiles if each["id"] == member.id),
            "guild": {"id": guild.id, "name": guild.name, "roles": roles},
            "channels": [channel.payload for channel in channels],
            "members": profiles,
            "app": {"id": state.application_id, "name": state.bot["username"], "online": state.is_online},
            "commands": member.commands,
            "messages": messages,
            "locale": member.locale,
            "upload_limit": state.attachment_size_limit,
            "ahead": CLOCK.ahead * 1000,
        }

    async def _receive(self, websocket: JsonWebSocket, member: Member, frame: Json) -> None:
        nonce = frame.get("nonce")
        try:
            if interaction := await self._act(member, self._given(frame)):
                self._tasks.add(task := asyncio.create_task(_follow(websocket, nonce, interaction)))
                task.add_done_callback(self._tasks.discard)
            else:
                websocket.send(_frame("INTERACTION_SUCCESS", {"nonce": nonce}))
        except (RejectedByClient, LookupError) as reason:
            websocket.send(_frame("INTERACTION_FAILURE", {"nonce": nonce, "reason": str(reason)}))

    async def _act(self, member: Member, frame: Json) -> Interaction | None:
        state = self._state
        match frame:
            case {"op": "say", "content": content, "channel_id": channel, **rest}:
                member.say(content, state.channels[channel], files=rest.get("files", ()))
            case {"op": "dismiss", "message_id": message}:
                member.dismiss(state.message(message))
            case {"op": "delete", "message_id": message}:
                member.delete(state.message(message))
            case {"op": "locale", "locale": locale}:
                member.locale = locale
            case _:
                return await self._interact(member, frame)
        return None

    async def _interact(self, member: Member, frame: Json) -> Interaction:
        state = self._state
        match frame:
            case {"op": "command", "name": name, "channel_id": channel, "options": options}:
                return await member.command(name, channel=state.channels[channel], **options)
            case {"op": "complete", "name": name, "channel_id": channel, "options": options, **field}:
                focused, text = field["focused"], field["text"]
                return await member.complete(name, focused, text, channel=state.channels[channel], **options)
            case {"op": "press", "message_id": message, "custom_id": custom_id}:
                return await member.press(state.message(message), custom_id=custom_id)
            case {"op": "choose", "message_id": message, "custom_id": custom_id, "values": values}:
                return await member.choose(state.message(message), custom_id, *values)
            case {"op": "submit", "token": token, "values": values}:
                return await member.submit(state.interactions[token], **values)
            case {"op": "menu", "name": name, "channel_id": channel, **target}:
                found = state.users.get(target.get("user_id", "")) or state.message(target["message_id"])
                return await member.menu(name, found, channel=state.channels[channel])
        raise RejectedByClient("This is not understood")


async def _follow(websocket: JsonWebSocket, nonce: Any, interaction: Interaction) -> None:
    try:
        await interaction.acknowledged()
        if interaction.choices is not None:
            websocket.send(_frame("CHOICES", {"nonce": nonce, "choices": interaction.choices}))
        if interaction.modal is not None:
            websocket.send(_frame("FORM", interaction.modal | {"token": interaction.token}))
        websocket.send(_frame("INTERACTION_SUCCESS", {"nonce": nonce}))
    except NoResponse as reason:
        websocket.send(_frame("INTERACTION_FAILURE", {"nonce": nonce, "reason": str(reason)}))


def _profile(member: Member, color: str) -> Json:
    guild = member.discord.guild
    profile: Json = {"id": member.id, "username": member.name, "color": color}
    profile |= {"global_name": member.payload["global_name"], "is_manager": member.is_manager}
    profile |= {"roles": [role.name for role in member.roles_in(guild)]}
    return profile | {"is_moderator": member.permissions_in(guild).manage_messages}


def _frame(kind: str, data: Json) -> str:
    return json.dumps({"t": kind, "d": data})
