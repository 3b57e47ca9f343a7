"""discord.py's gateway connection, extended to skip messages that it can't parse.

In discord.py an exception while it parses a gateway message ends `Client.connect`, and with it the process.
There is no public hook for that, so this module extends its gateway class and installs it. It was checked
against the version below, and a test fails if another one is installed: read `discord/gateway.py` and
`Client.connect` again before changing the number.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import zlib
from typing import TYPE_CHECKING, Any, Self, cast

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

if TYPE_CHECKING:
    from discord import Client

CHECKED_AGAINST = "2.7.1"
"""The version of discord.py whose gateway this module extends."""

ROLE_IDS = "member_role_ids"
"""The key in `Interaction.data` under which this module puts the member's role ids.

discord.py has no public accessor for them: `Member.roles` lacks roles that aren't cached, as after a start.
"""

DUPLICATE_PROCESS = "another bot process seems to use the same DISCORD_TOKEN"
"""The likely cause of odd events: Discord sends every interaction to both processes."""

_log = logging.getLogger(__name__)
# Exceptions of parsing unexpected JSON; connection errors are not among them.
_PARSE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
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
    """State that one connection passes on to the next."""

    def __init__(self) -> None:
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


class Gateway(DiscordWebSocket):
    """A gateway connection that skips events it cannot parse, and resumes after a corrupt frame."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(socket, loop=loop)
        self.history = _History()
        self.resumed_at: int | None = None

    @classmethod
    async def from_client(cls, client: Client, **options: Any) -> Self:
        """Connect; see `DiscordWebSocket.from_client`.

        After a failure discord.py resumes from `client.ws`, which is None before the first connection.
        """
        if client.ws is None:
            client.ws = cls(cast("Any", None), loop=client.loop)
            client.ws.gateway = cls.DEFAULT_GATEWAY
        if options.get("session") is None:
            options |= {"session": None, "sequence": None, "resume": False}
        history = cast("Gateway", client.ws).history
        if not options["resume"]:
            history.note_session()
        connection = await super().from_client(client, **options)
        connection.history, connection.resumed_at = history, options["sequence"]
        return connection

    @property
    def open(self) -> bool:
        """Whether it is connected. Before the first connection it has no socket."""
        return self.socket is not None and super().open

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
        except _PARSE_ERRORS as error:
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
    except _PARSE_ERRORS:
        return "unreadable"
    return kind if isinstance(kind, str) and (kind == "hello" or _EVENT_NAME.fullmatch(kind)) else "unknown"


def install() -> None:
    """Make every client of discord.py use this class; a client has no parameter for it."""
    setattr(discord.client, DiscordWebSocket.__name__, Gateway)
