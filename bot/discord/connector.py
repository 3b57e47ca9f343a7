"""Connections to Discord that end when they stall, however long they take while bytes move."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from typing import TYPE_CHECKING, Final

import aiohttp

from bot.discord.http_response import DiscordResponse

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

_log = logging.getLogger(__name__)
_STALL_SECONDS = 60.0
_MIN_RATE = 20_000.0  # bytes per second
_UNCOUNTED_FACTOR = 15  # the time limit of a whole request in stall times, if the system does not count bytes
TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=300, sock_connect=30)
"""No total: a `Connector` ends stalled requests. `connect` includes the wait for a free connection."""
_BYTES_ACKED_OFFSET = 120  # of tcpi_bytes_acked in Linux's struct tcp_info, before tcpi_bytes_received


class Connector(aiohttp.TCPConnector):
    """Closes the connection of a request that stalls: no byte moves in either direction for a minute.

    aiohttp has no such timeout: `sock_read` begins only once the request is written, and then ends uploads
    that are still leaving this machine's buffers. TCP_USER_TIMEOUT also ends uploads to a peer that reads
    slowly but steadily.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (aiohttp's own parameter)
    ) -> Connection:
        """Return a connection that is watched until its response, a `DiscordResponse`, has arrived."""
        req.response_class = DiscordResponse
        connection = await super().connect(req, traces, timeout)
        if connection.transport and "Upgrade" not in req.headers:  # the gateway has its heartbeat
            connection.add_callback(_StallWatch(connection.transport).stop)
        return connection


class _StallWatch:
    """Aborts a connection if no byte has been acknowledged or received for a minute.

    Bytes that a proxy has acknowledged can still wait there for a slow line, so the time is extended by what
    they need at `_MIN_RATE`. If the system does not count bytes, the whole request has a time limit instead.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._moved = self._moved_at_start = _bytes_moved(transport) or 0
        self._moved_at = self._loop.time()
        self._timer = self._loop.call_later(_STALL_SECONDS / 4, self._check)

    def stop(self) -> None:
        self._timer.cancel()

    def _check(self) -> None:
        moved, now = _bytes_moved(self._transport), self._loop.time()
        if self._transport.is_closing():
            return
        if moved is None:
            patience = _UNCOUNTED_FACTOR * _STALL_SECONDS
        else:
            patience = _STALL_SECONDS + (moved - self._moved_at_start) / _MIN_RATE
        if moved not in {None, self._moved}:
            self._moved, self._moved_at = moved or 0, now
        elif now - self._moved_at >= patience:
            _log.warning("a connection to Discord stalled: closing it")
            self._transport.abort()
            return
        self._timer = self._loop.call_later(_STALL_SECONDS / 4, self._check)


def _bytes_moved(transport: asyncio.Transport) -> int | None:
    """Return how many bytes the peer has acknowledged and sent; None if the system does not count them."""
    if not hasattr(socket, "TCP_INFO"):  # only Linux has it
        return None
    try:
        info = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        acknowledged, received = struct.unpack_from("=QQ", info, _BYTES_ACKED_OFFSET)
    except (OSError, struct.error):  # closed, or a kernel from before 2015
        return None
    return int(acknowledged + received) or None  # a sandbox may report zeros
