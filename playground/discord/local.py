"""The local Discord as a whole: opens it, closes it, and is what tests and the playground hold."""

from __future__ import annotations

import asyncio
import copy
import json
import ssl
from base64 import urlsafe_b64encode
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from aiohttp import web

from playground.discord import command_registration, payloads
from playground.discord.client import ClientServer
from playground.discord.gateway import Gateway
from playground.discord.guild import Channel, Guild
from playground.discord.members import Member
from playground.discord.payloads import Json, snowflake
from playground.discord.rest import Rest
from playground.discord.rest_pipeline import Call, PlannedResponse, RestPipeline
from playground.discord.state import Interaction, Message
from playground.discord.transport import LOOPBACK, LoopbackResolver, issue_certificate, open_proxy, serve_app

if TYPE_CHECKING:
    from collections.abc import Callable

_COLORS = ("#5865f2", "#eb459e", "#57a55a", "#e67e22", "#9b59b6", "#11806a")


class LocalDiscord:
    """Discord on loopback, everything in memory, one bot.

    Args:
        folder: Gets `ca.pem`, the authority that a client must trust.
        page: A folder to serve at `/` of `client_app`, which takes further routes before it is opened.
    """

    attachment_size_limit = 10 * 1024 * 1024
    has_rate_limits = True

    def __init__(self, folder: Path, page: Path | None = None) -> None:
        self._folder, self._page = folder, page
        self._change, self._stack = asyncio.Event(), AsyncExitStack()
        self._changes: list[Callable[[Json], object]] = []
        self.gateway, self._answering, self._clients = Gateway(self), RestPipeline(self), ClientServer(self)
        self._rest = Rest(self, self._answering)
        self.application_id = snowflake()
        # As Discord's, it begins with the application's id: hikari reads it from there.
        self.token = f"{urlsafe_b64encode(self.application_id.encode()).decode().rstrip('=')}.local.loopback"
        self.bot = payloads.user(self.application_id, "imagine", global_name=None, is_bot=True)
        self.client_app = web.Application()
        self.commands: list[Json] = []
        self.trace: list[Call] = []
        self.interactions: dict[str, Interaction] = {}
        self.uploads: dict[str, bytes] = {}
        self.members: dict[str, Member] = {}
        self.channels: dict[str, Channel] = {}
        self.guilds: list[Guild] = []
        self.guild = self.add_guild("Playground")
        self.channel = self.guild.add_channel("images")
        self.guild.add_channel("after-dark", is_age_restricted=True)
        self.guild.add_channel("bot-log")
        self.guild.add_thread("sketches", self.channel)
        self.add_member("alice")
        self.add_member("bob").roles.append(self.guild.add_role("Painters"))
        self.add_member("mia", is_manager=True)
        self.add_member("nora").roles.append(self.guild.add_role("Moderators", manage_messages=True))

    async def __aenter__(self) -> Self:
        authority = self._folder / "ca.pem"
        discord_app = web.Application(
            client_max_size=1 << 28
        )  # the 25 MiB of a request are Discord's to refuse
        discord_app.add_routes([web.get("/", self.gateway.serve), *self._rest.routes(), self._clients.files])
        self.client_app.add_routes(self._clients.routes)
        if self._page is not None:
            self.client_app.router.add_get("/", self._index)
            self.client_app.router.add_static("/", self._page)
        self.port = await self._stack.enter_async_context(
            serve_app(discord_app, issue_certificate(authority))
        )
        client_port = await self._stack.enter_async_context(serve_app(self.client_app))
        self.client_url = f"http://{LOOPBACK}:{client_port}"
        proxy_port = await self._stack.enter_async_context(open_proxy(self.port))
        self._trust = ssl.create_default_context(cafile=authority)
        self.environment = {
            "DISCORD_TOKEN": self.token,
            "DISCORD_PROXY": f"http://{LOOPBACK}:{proxy_port}",
            "SSL_CERT_FILE": str(authority),
        }
        return self

    async def _index(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse((self._page or Path()) / "index.html")

    async def __aexit__(self, *_: object) -> None:
        self.gateway.drop(1001)
        await self._clients.close()
        await self._stack.aclose()

    def connector(self) -> aiohttp.TCPConnector:
        """Return a connector for one in-process client: every host is this Discord."""
        return aiohttp.TCPConnector(limit=0, **self.route())

    def route(self, port: int | None = None) -> dict[str, Any]:
        """Return connector options that lead every host to this Discord, or to a relay on `port`."""
        return {"resolver": LoopbackResolver(port or self.port), "ssl": self._trust}

    def add_guild(self, name: str) -> Guild:
        """Let the bot into another guild, which has no channel yet."""
        self.guilds.append(guild := Guild(self, name))
        self.send({"t": "GUILD_CREATE", "d": guild.payload})
        return guild

    def add_entry_point(self) -> Json:
        """Give the app the command that launches an Activity, as the developer portal does."""
        shape: Json = {"id": snowflake(), "application_id": self.application_id, "version": snowflake()}
        shape |= {"type": command_registration.ENTRY_POINT, "name": "launch", "description": "", "handler": 2}
        shape |= {"name_localizations": {"ru": "запуск"}, "integration_types": [0, 1], "contexts": [0, 1, 2]}
        shape |= {"default_member_permissions": None, "nsfw": False}
        self.commands.append(shape)
        self.notify_commands_update()
        return shape

    def add_member(self, name: str, *, is_manager: bool = False) -> Member:
        """Let somebody into every guild."""
        color = _COLORS[len(self.members) % len(_COLORS)]
        self.members[name] = person = Member(self, name, color, is_manager)
        self.channels[person.direct_messages.id] = person.direct_messages
        return person

    @property
    def is_online(self) -> bool:
        """Whether the bot is connected to the gateway."""
        return self.gateway.connection is not None

    async def until(self, condition: Callable[[], object], timeout: float = 10) -> None:  # noqa: ASYNC109 - see answered
        """Wait until a condition holds; it is looked at again whenever anything has changed.

        Raises:
            TimeoutError: It did not come to hold, in `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while not condition():
                await self._change.wait()

    def notify(self) -> None:
        """Let every `until` look again."""
        self._change.set()
        self._change = asyncio.Event()

    def inject_fault(
        self,
        route: str,
        status: int,
        body: Any,
        *,
        headers: dict[str, str] | None = None,
        times: int = 1,
        is_after: bool = False,
        contains: str = "",
    ) -> None:
        """Order the next answers of a route, whose names are those in `Rest.routes`.

        Args:
            route: Such as "callback", "edit_original", "get_original", "edit_message", "followup", "sync".
            status: The HTTP status.
            body: JSON, or text that is none, such as a proxy's page.
            headers: Further headers.
            times: How many calls fare so.
            is_after: Carry the call out all the same: only its answer is lost.
            contains: Let only those calls fare so that hold these words, as AutoMod does.
        """
        failure = PlannedResponse(status, body, headers or {}, is_after, contains)
        self._answering.planned.setdefault(route, []).extend([failure] * times)

    def add_headers(self, route: str, headers: dict[str, str]) -> None:
        """Add headers to the next successful answer of a route."""
        failure = PlannedResponse(None, None, headers, is_after=True, contains="")
        self._answering.planned.setdefault(route, []).append(failure)

    def clear_faults(self, route: str) -> None:
        """Take back the answers of a route that were ordered and not given yet."""
        self._answering.planned.pop(route, None)

    def age(self, what: Interaction | Message, seconds: float) -> None:
        """Make an interaction, or that which made a message, so much older to this Discord."""
        interaction = what.interaction if isinstance(what, Message) else what
        if interaction is not None:
            interaction.created_at -= seconds
        self.notify()

    def send(self, event: Json) -> None:
        """Send a gateway event `{"t", "d"}`; an interaction's `event` sent again is a replay."""
        changes, self._changes = self._changes, []
        if changes:
            event = copy.deepcopy(event)
        for change in changes:
            change(event["d"])
        self.gateway.dispatch(event)
        self.notify()

    def edit_next_event(self, change: Callable[[Json], object]) -> None:
        """Change the data of the next gateway event on its way to the bot."""
        self._changes.append(change)

    def send_frame(self, data: str | bytes) -> None:
        """Send the bot a text or binary frame that the gateway protocol doesn't know."""
        if self.gateway.connection is not None:
            self.gateway.connection.send_frame(data)

    def drop_gateway(self, code: int = 4000, *, is_resumable: bool = True) -> None:
        """Close the bot's gateway connection; it comes back and resumes, or must identify anew."""
        if not is_resumable:
            self.gateway.end_session()
        self.gateway.drop(code)
        self.notify_app_update()

    async def file(self, attachment: Json) -> bytes:
        """Return what was uploaded as this Attachment object."""
        return self.uploads[attachment["id"]]

    def message(self, message_id: str) -> Message:
        """Find a message anywhere, else raise LookupError."""
        for channel in self.channels.values():
            for message in channel.messages:
                if message.id == message_id:
                    return message
        raise LookupError("There is no such message")

    def write_trace(self, path: Path) -> None:
        """Write every REST call so far as a line of JSON."""
        path.write_text("".join(json.dumps(asdict(call)) + "\n" for call in self.trace))

    def publish(self, kind: str, message: Message) -> None:
        """Note a new or changed message, for pages and for whoever waits."""
        self._clients.broadcast_message(kind, message)
        self.notify()

    def delete(self, message: Message) -> None:
        """Delete a message."""
        self._clients.broadcast_message("MESSAGE_DELETE", message)
        message.channel.messages.remove(message)
        message.is_deleted = True
        self.notify()

    def notify_app_update(self) -> None:
        """Note that the bot came or went."""
        self._clients.broadcast("APP_UPDATE", lambda _: {"online": self.is_online})
        self.notify()

    def notify_commands_update(self) -> None:
        """Note that commands were registered."""
        self._clients.broadcast("COMMANDS_UPDATE", lambda person: {"commands": person.commands})
        self.notify()
