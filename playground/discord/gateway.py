"""The gateway: one bot, one session, every event numbered and kept for a resume."""

from __future__ import annotations

import asyncio
import copy
import json
import secrets
from typing import TYPE_CHECKING, Any

from aiohttp import web

from playground.discord.payloads import OWN_USER_FIELDS
from playground.discord.transport import JsonWebSocket

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.discord.payloads import Json
    from playground.discord.state import State

_HEARTBEAT, _IDENTIFY, _RESUME, _RECONNECT, _INVALID_SESSION, _HELLO, _ACK = 1, 2, 6, 7, 9, 10, 11
_REQUEST_MEMBERS, _MEMBERS_PER_REQUEST = 8, 100
_AUTHENTICATION_FAILED = 4004
_ENDS_SESSION = (1000, 1001)  # any other close code leaves the session to a resume


class Gateway:
    """The gateway protocol in JSON, compressed as a zlib stream if the bot asks for it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._events: list[str] = []
        self._edits: list[Callable[[Json], object]] = []
        self.connection: JsonWebSocket | None = None
        self.session = ""
        self.is_unavailable = False
        self.left: set[str] = set()
        """The ids of users who have left every guild."""

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection of the bot until it closes."""
        if self.is_unavailable:
            raise web.HTTPServiceUnavailable
        connection = JsonWebSocket(is_deflated=request.query.get("compress") == "zlib-stream")
        connection.send(_frame(_HELLO, {"heartbeat_interval": 41_250}))
        try:
            async for frame in connection.frames(request):
                self._receive(connection, frame["op"], frame["d"])
        finally:
            if self.connection is connection:  # not dropped here, nor replaced by a newer one
                self._connect(None)
                if connection.socket.close_code in _ENDS_SESSION:
                    self.end_session()
        return connection.socket

    def _connect(self, connection: JsonWebSocket | None) -> None:
        self.connection = connection
        self._state.set_online(is_online=connection is not None)

    def send(self, event: Json) -> None:
        """Send an event `{"t", "d"}`; it is kept for a resume, or lost if there is no session."""
        edits, self._edits = self._edits, []
        if edits:
            event = copy.deepcopy(event)
        for edit in edits:
            edit(event["d"])
        self.dispatch(event)

    def dispatch(self, event: Json) -> None:
        """Send an event unchanged, with the next sequence number."""
        if self.session:
            self._events.append(_frame(0, event["d"], event["t"], len(self._events) + 1))
            if self.connection is not None:
                self.connection.send(self._events[-1])

    def edit_next_event(self, edit: Callable[[Json], object]) -> None:
        """Change the data of the next event on its way to the bot."""
        self._edits.append(edit)

    def send_frame(self, data: str | bytes) -> None:
        """Send a text or binary frame that the gateway protocol doesn't define."""
        if self.connection is not None:
            self.connection.send_frame(data)

    def drop(self, code: int = 4000, *, is_resumable: bool = True) -> None:
        """Close the bot's connection; the bot then resumes, or has to identify again."""
        if not is_resumable:
            self.end_session()
        if self.connection is not None:
            self.connection.close(code)
            self._connect(None)

    def request_reconnect(self) -> None:
        """Ask the bot to reconnect, as Discord does before a gateway restarts."""
        if self.connection is not None:
            self.connection.send(_frame(_RECONNECT))

    def end_session(self) -> None:
        """End the session, so that a resume is rejected."""
        self.session, self._events = "", []

    def _receive(self, connection: JsonWebSocket, op: int, data: Json) -> None:
        if op == _HEARTBEAT:
            # discord.py notes the time of a heartbeat after sending it; a response that came before that note
            # would look one heartbeat late and be logged as trouble.
            asyncio.get_running_loop().call_later(0.05, connection.send, _frame(_ACK))
        elif op in (_IDENTIFY, _RESUME) and data["token"] != self._state.token:
            connection.close(_AUTHENTICATION_FAILED)
        elif op == _IDENTIFY:
            self._identify(connection, data)
        elif op == _RESUME:
            self._resume(connection, data)
        elif op == _REQUEST_MEMBERS:
            self._send_members(data)

    def _identify(self, connection: JsonWebSocket, data: Json) -> None:
        state = self._state
        self.session, self._events, self.connection = secrets.token_hex(16), [], connection
        ready: Json = {"v": 10, "user": state.bot | OWN_USER_FIELDS, "session_id": self.session}
        ready |= {"resume_gateway_url": "wss://gateway-local.discord.gg", "shard": data.get("shard", [0, 1])}
        joined = [guild for guild in state.guilds if guild.has_bot]
        ready |= {"guilds": [{"id": guild.id, "unavailable": True} for guild in joined]}
        ready |= {"application": {"id": state.application_id, "flags": 0}}
        self.dispatch({"t": "READY", "d": ready})
        for guild in joined:
            self.dispatch({"t": "GUILD_CREATE", "d": guild.payload})
        self._connect(connection)

    def _resume(self, connection: JsonWebSocket, data: Json) -> None:
        if not self.session or data["session_id"] != self.session:
            connection.send(_frame(_INVALID_SESSION, data=False))
            return
        self.connection = connection
        for event in self._events[data["seq"] :]:
            connection.send(event)
        self.dispatch({"t": "RESUMED", "d": {"_trace": []}})
        self._connect(connection)

    def _send_members(self, data: Json) -> None:
        """Answer a request for members by id; lists of all members take an intent that the bot lacks."""
        guild = next(each for each in self._state.guilds if each.id == str(data["guild_id"]))
        ids = [str(each) for each in data["user_ids"]][:_MEMBERS_PER_REQUEST]
        known = self._state.users.keys() - self.left
        users = [self._state.users[each] for each in ids if each in known]
        chunk: Json = {"guild_id": guild.id, "members": [user.member_payload(guild) for user in users]}
        chunk |= {"not_found": [each for each in ids if each not in known]}
        chunk |= {"chunk_index": 0, "chunk_count": 1, "nonce": data.get("nonce")}
        self.dispatch({"t": "GUILD_MEMBERS_CHUNK", "d": chunk})


def _frame(op: int, data: Any = None, kind: str | None = None, sequence: int | None = None) -> str:
    return json.dumps({"op": op, "d": data, "s": sequence, "t": kind})
