"""discord.py's gateway connections; they skip what can't be parsed, and shards connect by themselves.

In discord.py an exception while it parses a gateway message ends `AutoShardedClient.connect`, and with it the
process. There is no public hook for that, so this module extends its gateway class and installs it. It was
checked against the version below, and a test fails if another one is installed: read `discord/gateway.py` and
`discord/shard.py` again before changing the number.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
import time
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import discord
from discord.gateway import DiscordClientWebSocketResponse, DiscordWebSocket, ReconnectWebSocket

from bot.discord.identify import IdentifyTurns

if TYPE_CHECKING:
    from discord import AutoShardedClient, Client

CHECKED_AGAINST = "2.7.1"
"""The version of discord.py whose gateway this module extends."""

ROLE_IDS = "member_role_ids"
"""The key in `Interaction.data` under which this module puts the member's role ids.

discord.py has no public accessor for them: `Member.roles` lacks roles that aren't cached, as after a start.
"""

DUPLICATE_PROCESS = "another bot process seems to use the same DISCORD_TOKEN"
"""The likely cause of odd events: Discord sends every interaction to both processes."""

PARSE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Exceptions of parsing unexpected JSON; connection errors are not among them."""

_log = logging.getLogger(__name__)
_CONNECT_SECONDS = 60.0
_CORRUPT_FRAME = (json.JSONDecodeError, UnicodeDecodeError, zlib.error)
_ESSENTIAL = {"READY", "hello"}  # a connection is useless without them
_EVENT_NAME = re.compile(r"[A-Z_]{1,50}")
_HELLO = 10
_MANY_SESSIONS, _WITHIN_SECONDS = 5, 600.0

_LARGEST_FILE_LIMIT = 1 << 30
# The default for an interaction without permissions; they only decide whether the bot tries.
_PERMISSIONS = discord.Permissions(view_channel=True, embed_links=True, attach_files=True)


class UnusableConnectionError(aiohttp.ClientError):
    """Reconnecting at once would not help; discord.py pauses, longer each time, reconnects and resumes."""


class _History:
    """State that one connection of a shard passes on to the next."""

    def __init__(self) -> None:
        self.connection: Gateway | None = None
        """The last one; it knows the session to resume, if there is one."""
        self.skipped: set[str] = set()
        """The kinds of messages that could not be parsed."""
        self._sessions: list[float] = []

    def note_session(self) -> None:
        """Record the start of a session, and log the likely cause if Discord keeps ending them."""
        now = time.monotonic()
        self._sessions = [*(begun for begun in self._sessions if now - begun < _WITHIN_SECONDS), now]
        if len(self._sessions) == _MANY_SESSIONS:
            _log.warning(
                "%d sessions in %d minutes, as Discord keeps ending them: %s",
                _MANY_SESSIONS,
                _WITHIN_SECONDS // 60,
                DUPLICATE_PROCESS,
            )


class GatewaySocket(DiscordClientWebSocketResponse):
    """A websocket that keeps Discord's close code, which says whether connecting again can help.

    aiohttp forgets it if the connection is gone before it has answered.
    """

    _received_code: int | None = None

    async def receive(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109 (as in aiohttp)
        """Return the next message, and keep the code if it closes the connection."""
        message: aiohttp.WSMessage = await super().receive(timeout)
        if message.type is aiohttp.WSMsgType.CLOSE:
            self._received_code = message.data
        return message

    @property
    def close_code(self) -> int | None:
        """The code with which either side has closed it."""
        return self._received_code or super().close_code


class Gateway(DiscordWebSocket):
    """A gateway connection that skips events it cannot parse, and resumes after a corrupt frame."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(socket, loop=loop)
        self.history = _History()
        self.resumed_at: int | None = None

    @classmethod
    async def connect(cls, client: Client, history: _History, **options: Any) -> Self:
        """Connect, then identify or resume; see `DiscordWebSocket.from_client`."""
        connection = await cls.from_client(client, **options)
        connection.history, connection.resumed_at = history, options.get("sequence")
        history.connection = connection
        return connection

    async def received_message(self, msg: Any, /) -> None:
        """Handle one message, then yield to other tasks.

        discord.py would handle all waiting messages in one step of the event loop.

        Raises:
            ReconnectWebSocket: Discord asks for it, or the frame is corrupt.
            UnusableConnectionError: The first frame was corrupt, or there is no session.
        """
        text: str | None = msg
        try:
            if isinstance(msg, bytes):
                text = self._decompressor.decompress(msg)
            if text is not None:  # else more of it follows
                await super().received_message(_with_defaults(text))
        except _CORRUPT_FRAME as error:
            _log.warning("a broken frame from Discord's gateway (%s): reconnecting", type(error).__name__)
            await self.close()
            if self.sequence in (self.resumed_at, None):
                raise UnusableConnectionError from error
            raise ReconnectWebSocket(self.shard_id) from error
        except PARSE_ERRORS as error:
            await self._skip(_kind(text), error)
        await asyncio.sleep(0)

    async def _skip(self, kind: str, error: Exception) -> None:
        """Skip a message of this kind; log the first one."""
        if kind not in self.history.skipped:
            self.history.skipped.add(kind)
            _log.warning(
                "gateway messages of the kind %s can't be read (%s): skipping them",
                kind,
                type(error).__name__,
            )
        if kind in _ESSENTIAL:
            await self.close()
            raise UnusableConnectionError from error


class ShardConnection:
    """Takes the place of `DiscordWebSocket` in `discord.shard`, and connects when it is first polled.

    discord.py connects shards one after the other: one that can't connect holds up all others, and forgets
    its session. But each shard is polled by a task of its own. So here each connects by itself, and resumes
    the session of its last connection. A client can have its own `identify_turns`.
    """

    DEFAULT_GATEWAY = DiscordWebSocket.DEFAULT_GATEWAY
    # discord.py passes these to the next connection, which knows them.
    gateway, session_id, sequence = DEFAULT_GATEWAY, None, None

    def __init__(self, client: AutoShardedClient, shard_id: int) -> None:
        self.shard_id = shard_id
        self._client = client
        histories: dict[int, _History] = vars(client).setdefault("gateway_histories", defaultdict(_History))
        self._history = histories[shard_id]
        self._turns: IdentifyTurns = vars(client).setdefault("identify_turns", IdentifyTurns())
        self._connection: Gateway | None = None

    @classmethod
    async def from_client(cls, client: AutoShardedClient, *, shard_id: int, **_: Any) -> Self:
        """Return a connection that is not open yet."""
        return cls(client, shard_id)

    @property
    def open(self) -> bool:
        """Whether it is connected."""
        return self._connection is not None and self._connection.open

    @property
    def latency(self) -> float:
        """Seconds between a heartbeat and Discord's answer; infinite before the first one."""
        return self._connection.latency if self._connection else math.inf

    def is_ratelimited(self) -> bool:
        """Return whether Discord takes no more messages for now."""
        return self._connection is not None and self._connection.is_ratelimited()

    async def poll_event(self) -> None:
        """Connect, or handle the next message."""
        if self._connection is None:
            self._connection = await self._connect()
        else:
            await self._connection.poll_event()

    async def _connect(self) -> Gateway:
        last = self._history.connection
        if last is not None and last.session_id is not None:
            # A session has a host of its own. It is tried once, because it may be what failed.
            options: dict[str, Any] = {"gateway": last.gateway, "session": last.session_id, "resume": True}
            last.gateway = self.DEFAULT_GATEWAY
            return await self._open(**options, sequence=last.sequence)
        async with self._turns.turn(self.shard_id):
            connection = await self._open(initial=True)  # else discord.py would wait here too
            self._history.note_session()
            return connection

    async def _open(self, **options: Any) -> Gateway:
        async with asyncio.timeout(_CONNECT_SECONDS):
            return await Gateway.connect(self._client, self._history, shard_id=self.shard_id, **options)

    async def request_chunks(self, *arguments: Any, **options: Any) -> None:
        """Ask for members of a server.

        Raises:
            UnusableConnectionError: It is not connected.
        """
        if self._connection is None:
            raise UnusableConnectionError
        await self._connection.request_chunks(*arguments, **options)

    async def close(self, code: int = 4000) -> None:
        """Close it, if it is open."""
        if self._connection is not None:
            await self._connection.close(code)


def _with_defaults(text: str) -> str:
    """Return the message; an interaction gets defaults for missing fields that the bot can do without.

    Raises:
        ValueError: It is not JSON, or not an interaction that could be answered.
    """
    if "INTERACTION_CREATE" not in text and "RESUMED" not in text:
        return text
    message = json.loads(text)
    if message.get("t") == "RESUMED":
        message["d"] = message["d"] or {}
    if message.get("t") == "INTERACTION_CREATE":
        message["d"] = _interaction_with_defaults(message["d"])
    return json.dumps(message)


def _interaction_with_defaults(interaction: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in interaction.items() if value is not None}
    known["data"] = {name: value for name, value in known["data"].items() if value is not None}
    if known["type"] in {2, 4} and not isinstance(known["data"]["name"], str):
        raise TypeError("a command without a name")
    limit = known.get("attachment_size_limit")
    if not isinstance(limit, int) or not 0 < limit <= _LARGEST_FILE_LIMIT:
        known["attachment_size_limit"] = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
    known["data"][ROLE_IDS] = known.get("member", {}).get("roles", [])
    channel = {"id": known["channel_id"]} if "channel_id" in known else {}
    return {"version": 1, "app_permissions": str(_PERMISSIONS.value), "channel": channel} | known


def _kind(text: str | None) -> str:
    """Return the kind of a message, without any of its content."""
    try:
        message = json.loads(text or "")
        kind = "hello" if message.get("op") == _HELLO else message.get("t")
    except PARSE_ERRORS:
        return "unreadable"
    return kind if isinstance(kind, str) and (kind == "hello" or _EVENT_NAME.fullmatch(kind)) else "unknown"


def install() -> None:
    """Make every sharded client of discord.py use these classes; a client has no parameter for them."""
    setattr(discord.shard, DiscordWebSocket.__name__, ShardConnection)
    setattr(discord.http, DiscordClientWebSocketResponse.__name__, GatewaySocket)
