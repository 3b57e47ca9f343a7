"""The local Discord: connects state, gateway, REST API and page, and serves them on loopback."""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from aiohttp import web

from playground.discord import payloads
from playground.discord.client import ClientServer, same_origin
from playground.discord.gateway import Gateway
from playground.discord.members import Member
from playground.discord.posts import OtherApp
from playground.discord.rest import Rest
from playground.discord.rest_pipeline import RestPipeline
from playground.discord.shard import Shard
from playground.discord.state import Guild, Interaction, Message, State, User
from playground.discord.transport import LOOPBACK, LoopbackResolver, issue_certificate, open_proxy, serve_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from playground.discord.payloads import Json

_MAX_BODY_BYTES = 1 << 28  # well above Discord's own limit, which `RestPipeline` checks


class LocalDiscord(State):
    """Discord on loopback, in memory, for one bot.

    `cdn_host` serves files by HTTPS like cdn.discordapp.com and media.discordapp.net, whose names are in the
    payloads: a client reaches those by the proxy in `environment`, or by `connector`.

    Args:
        folder: Gets `ca.pem`, the certificate authority that a client must trust.
        page: A folder to serve at `/` of `client_app`, which takes further routes before it is opened.
        page_ports: The page gets the first one that is free, 0 being any.
    """

    def __init__(self, folder: Path, page: Path | None = None, page_ports: Iterable[int] = (0,)) -> None:
        super().__init__()
        self._folder, self._page, self._page_ports = folder, page, page_ports
        self._stack = AsyncExitStack()
        self.gateway, self.pipeline = Gateway(self), RestPipeline(self)
        self.rest = Rest(self, self.pipeline, self.gateway)
        self.members: dict[str, Member] = {}
        self._clients = ClientServer(self, self.members)
        self.client_app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[same_origin])
        self.trace = self.pipeline.trace
        self.inject_fault = self.pipeline.inject_fault
        self.clear_faults = self.pipeline.clear_faults
        self.add_headers = self.pipeline.add_headers
        self.write_trace = self.pipeline.write_trace
        self._add_guild_and_members()

    def _add_guild_and_members(self) -> None:
        guild = self.add_guild("Playground")
        channel = guild.add_channel("images")
        guild.add_channel("after-dark", is_age_restricted=True)
        guild.add_channel("bot-log")
        guild.add_thread("sketches", channel)
        self.add_member("alice")
        self.add_member("bob").roles.append(guild.add_role("Painters"))
        self.add_member("mia", is_manager=True)
        self.add_member("nora").roles.append(guild.add_role("Moderators", manage_messages=True))

    async def __aenter__(self) -> Self:
        authority = self._folder / "ca.pem"
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.add_routes([web.get("/", self.gateway.serve), *self.rest.routes(), *self.cdn.routes()])
        self.client_app.add_routes(self._clients.routes)
        if self._page is not None:
            self.client_app.router.add_get("/", self._index)
            self.client_app.router.add_static("/", self._page)
        enter = self._stack.enter_async_context
        self.port = await enter(serve_app(app, issue_certificate(authority)))
        self.page_port = await enter(serve_app(self.client_app, ports=self._page_ports))
        self.cdn_host = f"{LOOPBACK}:{self.port}"
        self.client_url = f"http://{LOOPBACK}:{self.page_port}"
        self.tls = ssl.create_default_context(cafile=authority)
        self.environment = {
            "DISCORD_TOKEN": self.token,
            "DISCORD_PROXY": f"http://{LOOPBACK}:{await enter(open_proxy(self.port))}",
            "SSL_CERT_FILE": str(authority),
        }
        return self

    async def _index(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse((self._page or Path()) / "index.html")

    async def __aexit__(self, *_: object) -> None:
        self.gateway.close()
        await self._clients.close()
        await self._stack.aclose()

    def connector(self) -> aiohttp.TCPConnector:
        """Return a connector for a client in this process that reaches this Discord under every host name."""
        return aiohttp.TCPConnector(limit=0, **self.route())

    def route(self, port: int | None = None) -> dict[str, Any]:
        """Return connector options that resolve every host to this Discord, or to a relay on `port`."""
        return {"resolver": LoopbackResolver(port or self.port), "ssl": self.tls}

    def add_guild(self, name: str, *, shard: tuple[int, int] = (0, 1)) -> Guild:
        """Add the bot to another guild, which has no channels yet; `shard` is a number and their count."""
        guild_id = int(payloads.snowflake())
        while not Shard(*shard).has_guild(guild_id):
            guild_id += 1 << 22  # a millisecond later
        self.guilds.append(guild := Guild(self, name, str(guild_id)))
        self.add_bot(guild)
        return guild

    def add_bot(self, guild: Guild) -> None:
        """Let the bot join a guild; this event, unlike those of a start, does not say `unavailable`."""
        guild.has_bot = True
        joined = {name: value for name, value in guild.payload.items() if name != "unavailable"}
        self.send({"t": "GUILD_CREATE", "d": joined})

    def remove_bot(self, guild: Guild) -> None:
        """Remove the bot from a guild and notify it."""
        guild.has_bot = False
        self.send({"t": "GUILD_DELETE", "d": {"id": guild.id}})

    def add_entry_point(self) -> Json:
        """Register the command that launches an Activity, and return it."""
        command = payloads.entry_point(self.application_id)
        self.set_commands([*self.commands, command])
        return command

    def add_app(self, name: str) -> OtherApp:
        """Add another app's bot to every guild; it posts, but takes no part in interactions."""
        app = OtherApp(self, name)
        self.users[app.id] = app
        return app

    def add_member(self, name: str, *, is_manager: bool = False) -> Member:
        """Add a member to every guild."""
        self.members[name] = member = Member(self, name, is_manager)
        self.users[member.id] = member
        self.channels[member.direct_messages.id] = member.direct_messages
        return member

    def send(self, event: Json) -> None:
        """Send a gateway event `{"t", "d"}`; sending an interaction's `event` again replays it."""
        self.gateway.send(event)
        self.notify()

    def broadcast(self, kind: str, data: Callable[[User], Json | None]) -> None:
        """Send every open page what concerns its user; None sends nothing."""
        self._clients.broadcast(kind, data)

    def age(self, what: Interaction | Message, seconds: float) -> None:
        """Make an interaction, or the one behind a message, older by `seconds`."""
        interaction = what.interaction if isinstance(what, Message) else what
        if interaction is not None:
            interaction.created_at -= seconds
        self.notify()

    async def file(self, attachment: Json) -> bytes:
        """Return the bytes that were uploaded for an Attachment object."""
        return self.cdn.files[attachment["id"]]
