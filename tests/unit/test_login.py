"""Which errors of a login are waited for, and which end the start."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, cast

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from bot.app import _is_passing

if TYPE_CHECKING:
    from aiohttp import RequestInfo

KEY = ConnectionKey(
    "discord.com", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None
)


def refused_by_proxy(status: int) -> aiohttp.ClientHttpProxyError:
    return aiohttp.ClientHttpProxyError(cast("RequestInfo", None), (), status=status, message="")


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ClientConnectorDNSError(KEY, OSError(socket.EAI_AGAIN, "no DNS yet")),
        aiohttp.ClientProxyConnectionError(KEY, ConnectionRefusedError(errno.ECONNREFUSED, "closed")),
        aiohttp.ClientConnectorError(KEY, OSError(errno.ENETUNREACH, "no route yet")),
        aiohttp.ServerDisconnectedError(),
        TimeoutError(),
        refused_by_proxy(503),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_network_comes_up_later(error: Exception) -> None:
    assert _is_passing(error)


@pytest.mark.parametrize(
    "error",
    [refused_by_proxy(407), refused_by_proxy(403), aiohttp.InvalidURL("http://"), ValueError()],
    ids=repr,
)
def test_what_time_does_not_change(error: Exception) -> None:
    assert not _is_passing(error)
