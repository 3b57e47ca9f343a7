"""The gateway: a session per shard, every event numbered and kept for a resume."""

from __future__ import annotations

import asyncio
import copy
import secrets
import time
from typing import TYPE_CHECKING

from aiohttp import web

from playground.discord.payloads import OWN_USER_FIELDS
from playground.discord.shard import Shard, frame
from playground.discord.transport import JsonWebSocket

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.discord.payloads import Json
    from playground.discord.state import Guild, State

_HEARTBEAT, _IDENTIFY, _RESUME, _RECONNECT, _INVALID_SESSION, _HELLO, _ACK = 1, 2, 6, 7, 9, 10, 11
_REQUEST_MEMBERS, _MEMBERS_PER_REQUEST = 8, 100
_AUTHENTICATION_FAILED, _ALREADY_AUTHENTICATED = 4004, 4005
_INVALID_SHARD, _SHARDING_REQUIRED, _INVALID_INTENTS, _DISALLOWED_INTENTS = 4010, 4011, 4013, 4014
_INTENTS = 1 << 26
_PRIVILEGED_INTENTS = 1 << 1 | 1 << 8 | 1 << 15  # members, presences, message content
_ENDS_SESSION = (1000, 1001)  # any other close code leaves the session to a resume


class Gateway:
    """The gateway protocol in JSON, compressed as a zlib stream if the bot asks for it.

    Methods about a connection take the number of its shard, of as many as the bot identified last.
    """

    heartbeat_seconds = 41.25
    recommended_shards = 1
    guilds_per_shard = 2500
    """With more of them, a shard is refused."""
    identifies_per_day = 1000
    max_concurrency = 1
    identify_seconds = 5.0
    """How long after one shard the next of its bucket can identify; the same shard can at once, since tests
    restart bots faster than Discord lets them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._edits: list[Callable[[Json], object]] = []
        self._count = 1
        self._shards: dict[tuple[int, int], Shard] = {}
        self._of_connection: dict[JsonWebSocket, Shard] = {}
        self.identified: list[tuple[float, int]] = []
        """The monotonic time and the shard of each accepted IDENTIFY."""
        self.too_soon: list[int] = []
        """The shard of each IDENTIFY that was refused because it came too soon after another shard's."""
        self.is_unavailable = False
        self.silent: set[int] = set()
        """The numbers of shards that get nothing more, although their connections stay open."""
        self.left: set[str] = set()
        """The ids of users who have left every guild."""

    def shard(self, number: int = 0) -> Shard:
        """Return a shard, of as many as the bot identified last."""
        return self._shards.setdefault((number, self._count), Shard(number, self._count))

    @property
    def connection(self) -> JsonWebSocket | None:
        """The connection of the first shard."""
        return self.shard().connection

    @property
    def session(self) -> str:
        """The session of the first shard."""
        return self.shard().session

    @property
    def bot_info(self) -> Json:
        """What `GET /gateway/bot` says: the recommended number of shards, and the limit of identifies."""
        remaining = max(0, self.identifies_per_day - len(self.identified))
        limit = {"total": self.identifies_per_day, "remaining": remaining, "reset_after": 3_600_000}
        limit |= {"max_concurrency": self.max_concurrency}
        url = "wss://gateway.discord.gg"
        return {"url": url, "shards": self.recommended_shards, "session_start_limit": limit}

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection of the bot until it closes."""
        if self.is_unavailable:
            raise web.HTTPServiceUnavailable
        connection = JsonWebSocket(is_deflated=request.query.get("compress") == "zlib-stream")
        connection.send(frame(_HELLO, {"heartbeat_interval": round(self.heartbeat_seconds * 1000)}))
        try:
            async for received in connection.frames(request):
                self._receive(connection, received["op"], received["d"])
        finally:
            shard = self._of_connection.pop(connection, None)
            if shard and shard.connection is connection:  # not dropped here, nor replaced by a newer one
                self._connect(shard, None)
                if connection.socket.close_code in _ENDS_SESSION:
                    shard.end_session()
        return connection.socket

    def _connect(self, shard: Shard, connection: JsonWebSocket | None) -> None:
        shard.connection = connection
        if connection is not None:
            self._of_connection[connection] = shard
        self._state.set_online(is_online=self.is_connected(self._state.guild))

    def is_connected(self, guild: Guild) -> bool:
        """Whether the bot has a connection for this guild's events."""
        return any(each.connection and each.has_guild(int(guild.id)) for each in self._shards.values())

    def send(self, event: Json) -> None:
        """Send an event `{"t", "d"}`; it is kept for a resume, or lost if there is no session."""
        edits, self._edits = self._edits, []
        if edits:
            event = copy.deepcopy(event)
        for edit in edits:
            edit(event["d"])
        self.dispatch(event)

    def dispatch(self, event: Json, to: Shard | None = None) -> None:
        """Send an event unchanged to one shard, or to the one that gets the events of its guild."""
        for shard in [to] if to else [*self._shards.values()]:
            if to or shard.is_for(event):
                shard.dispatch(event, is_silent=shard.number in self.silent)

    def edit_next_event(self, edit: Callable[[Json], object]) -> None:
        """Change the data of the next event on its way to the bot."""
        self._edits.append(edit)

    def send_frame(self, data: str | bytes) -> None:
        """Send a text or binary frame that the gateway protocol doesn't define."""
        if self.connection is not None:
            self.connection.send_frame(data)

    def drop(self, code: int = 4000, *, is_resumable: bool = True, shard: int = 0) -> None:
        """Close a connection; the bot then resumes, or has to identify again."""
        dropped = self.shard(shard)
        if not is_resumable:
            dropped.end_session()
        if dropped.connection is not None:
            dropped.connection.close(code)
            self._connect(dropped, None)

    def close(self) -> None:
        """Close every connection."""
        for shard in self._shards.values():
            if shard.connection is not None:
                shard.connection.close(1001)

    def request_reconnect(self, shard: int = 0) -> None:
        """Ask the bot to reconnect, as Discord does before a gateway restarts."""
        if (connection := self.shard(shard).connection) is not None:
            connection.send(frame(_RECONNECT))

    def _receive(self, connection: JsonWebSocket, op: int, data: Json) -> None:
        if op == _HEARTBEAT:
            # discord.py notes the time of a heartbeat after sending it; a response that came before that note
            # would look one heartbeat late and be logged as trouble.
            asyncio.get_running_loop().call_later(0.05, self._acknowledge, connection)
        elif op in (_IDENTIFY, _RESUME) and data["token"] != self._state.token:
            connection.close(_AUTHENTICATION_FAILED)
        elif op in (_IDENTIFY, _RESUME) and connection in self._of_connection:
            connection.close(_ALREADY_AUTHENTICATED)
        elif op == _IDENTIFY:
            if code := self._refusal(data):
                connection.close(code)
            else:
                self._identify(connection, data)
        elif op == _RESUME:
            self._resume(connection, data)
        elif op == _REQUEST_MEMBERS:
            self._send_members(data)

    def _acknowledge(self, connection: JsonWebSocket) -> None:
        shard = self._of_connection.get(connection)
        if shard is None or shard.number not in self.silent:
            connection.send(frame(_ACK))

    def _refusal(self, data: Json) -> int:
        """Return the code that Discord closes the connection of such an IDENTIFY with, or 0."""
        intents, shard = data.get("intents"), data.get("shard", [0, 1])
        if not isinstance(intents, int) or not 0 <= intents < _INTENTS:
            return _INVALID_INTENTS
        if intents & _PRIVILEGED_INTENTS:
            return _DISALLOWED_INTENTS
        if [type(each) for each in shard] != [int, int] or not 0 <= shard[0] < shard[1]:
            return _INVALID_SHARD
        is_full = len(self._guilds(Shard(*shard))) > self.guilds_per_shard
        return _SHARDING_REQUIRED if is_full else 0

    def _guilds(self, shard: Shard) -> list[Guild]:
        return [each for each in self._state.guilds if each.has_bot and shard.has_guild(int(each.id))]

    def _identify(self, connection: JsonWebSocket, data: Json) -> None:
        number, count = data.get("shard", [0, 1])
        if self._is_too_soon(number):
            self.too_soon.append(number)
            connection.send(frame(_INVALID_SESSION, data=False))
            return
        self.identified.append((time.monotonic(), number))
        self._count, state = count, self._state
        self._shards = {key: each for key, each in self._shards.items() if key[1] == count or each.connection}
        shard = self.shard(number)
        shard.begin_session(secrets.token_hex(16))
        self._of_connection[connection] = shard
        shard.connection = connection
        ready: Json = {"v": 10, "user": state.bot | OWN_USER_FIELDS, "session_id": shard.session}
        ready |= {"resume_gateway_url": "wss://gateway-local.discord.gg", "shard": [number, count]}
        joined = self._guilds(shard)
        ready |= {"guilds": [{"id": guild.id, "unavailable": True} for guild in joined]}
        ready |= {"application": {"id": state.application_id, "flags": 0}}
        self.dispatch({"t": "READY", "d": ready}, shard)
        for guild in joined:
            self.dispatch({"t": "GUILD_CREATE", "d": guild.payload}, shard)
        self._connect(shard, connection)

    def _is_too_soon(self, number: int) -> bool:
        """Whether another shard of the bucket identified too short a time ago."""
        earliest, bucket = time.monotonic() - self.identify_seconds, number % self.max_concurrency
        return any(
            at > earliest and other != number and other % self.max_concurrency == bucket
            for at, other in self.identified
        )

    def _resume(self, connection: JsonWebSocket, data: Json) -> None:
        found = (each for each in self._shards.values() if each.session == data["session_id"] != "")
        shard = next(found, None)
        if shard is None:
            connection.send(frame(_INVALID_SESSION, data=False))
            return
        self._of_connection[connection] = shard
        shard.connection = connection
        if shard.number not in self.silent:
            shard.replay(data["seq"])
        self.dispatch({"t": "RESUMED", "d": {"_trace": []}}, shard)
        self._connect(shard, connection)

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
