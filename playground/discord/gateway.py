"""The gateway: one bot, one session, every event numbered and kept for a resume."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING, Any

from aiohttp import web

from playground.discord.payloads import OWN_USER_FIELDS
from playground.discord.transport import JsonWebSocket

if TYPE_CHECKING:
    from playground.discord.local import LocalDiscord
    from playground.discord.payloads import Json

_HEARTBEAT, _IDENTIFY, _RESUME, _RECONNECT, _INVALID_SESSION, _HELLO, _ACK = 1, 2, 6, 7, 9, 10, 11
_AUTHENTICATION_FAILED = 4004


class Gateway:
    """Speaks the gateway protocol in JSON, as a zlib stream where that was asked for."""

    def __init__(self, discord: LocalDiscord) -> None:
        self._discord = discord
        self.session = ""
        self._log: list[str] = []
        self.connection: JsonWebSocket | None = None
        self.is_unavailable = False

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection of the bot until it ends."""
        if self.is_unavailable:
            raise web.HTTPServiceUnavailable
        wire = JsonWebSocket(is_deflated=request.query.get("compress") == "zlib-stream")
        wire.send(_frame(_HELLO, {"heartbeat_interval": 41_250}))
        try:
            async for frame in wire.frames(request):
                self._receive(wire, frame["op"], frame["d"])
        finally:
            if self.connection is wire:  # else it was dropped here, or another took its place
                self.connection = None
                if wire.socket.close_code in (
                    1000,
                    1001,
                ):  # these end the session, others leave it to a resume
                    self.end_session()
            self._discord.notify_app_update()
        return wire.socket

    def dispatch(self, event: Json) -> None:
        """Send `{"t", "d"}`; it waits for a resume while the bot is away, and is lost without a session."""
        if self.session:
            self._log.append(_frame(0, event["d"], event["t"], len(self._log) + 1))
            if self.connection is not None:
                self.connection.send(self._log[-1])

    def drop(self, code: int) -> None:
        """Close the bot's connection."""
        if self.connection is not None:
            self.connection.close(code)
            self.connection = None

    def request_reconnect(self) -> None:
        """Ask the bot to reconnect, as Discord does before a gateway restarts."""
        if self.connection is not None:
            self.connection.send(_frame(_RECONNECT))

    def end_session(self) -> None:
        """End the session: a resume is refused from now on."""
        self.session, self._log = "", []

    def _receive(self, wire: JsonWebSocket, op: int, data: Json) -> None:
        if op == _HEARTBEAT:
            # discord.py notes the time of a heartbeat after sending it; an answer faster than that note would
            # seem to be one heartbeat late, and be logged as trouble.
            asyncio.get_running_loop().call_later(0.05, wire.send, _frame(_ACK))
        elif op in (_IDENTIFY, _RESUME) and data["token"] != self._discord.token:
            wire.close(_AUTHENTICATION_FAILED)
        elif op == _IDENTIFY:
            self._identify(wire, data)
        elif op == _RESUME:
            self._resume(wire, data)

    def _identify(self, wire: JsonWebSocket, data: Json) -> None:
        self.session, self._log, self.connection = secrets.token_hex(16), [], wire
        guilds = self._discord.guilds
        ready: Json = {"v": 10, "user": self._discord.bot | OWN_USER_FIELDS, "session_id": self.session}
        ready |= {"resume_gateway_url": "wss://gateway-local.discord.gg", "shard": data.get("shard", [0, 1])}
        ready |= {"guilds": [{"id": guild.id, "unavailable": True} for guild in guilds]}
        ready |= {"application": {"id": self._discord.application_id, "flags": 0}}
        self.dispatch({"t": "READY", "d": ready})
        for guild in guilds:
            self.dispatch({"t": "GUILD_CREATE", "d": guild.payload})
        self._discord.notify_app_update()

    def _resume(self, wire: JsonWebSocket, data: Json) -> None:
        if not self.session or data["session_id"] != self.session:
            wire.send(_frame(_INVALID_SESSION, data=False))
            return
        self.connection = wire
        for text in self._log[data["seq"] :]:
            wire.send(text)
        self.dispatch({"t": "RESUMED", "d": {"_trace": []}})
        self._discord.notify_app_update()


def _frame(op: int, data: Any = None, kind: str | None = None, sequence: int | None = None) -> str:
    return json.dumps({"op": op, "d": data, "s": sequence, "t": kind})
