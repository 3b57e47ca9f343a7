"""Which login errors are retried, and the connector of a retry."""

from __future__ import annotations

import asyncio
import errno
import socket
from functools import partial
from typing import TYPE_CHECKING, cast

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from bot.discord.client import is_login_retryable
from bot.discord.connector import Connector
from bot.storage.sqlite import open_database
from playground.discord import LocalDiscord
from tests.bots import make_bot

if TYPE_CHECKING:
    from pathlib import Path

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
def test_network_errors_are_retried(error: Exception) -> None:
    assert is_login_retryable(error)


@pytest.mark.parametrize(
    "error",
    [refused_by_proxy(407), refused_by_proxy(403), aiohttp.InvalidURL("http://"), ValueError()],
    ids=repr,
)
def test_permanent_errors_are_not_retried(error: Exception) -> None:
    assert not is_login_retryable(error)


async def test_retried_login_uses_our_connector(tmp_path: Path) -> None:
    """It times out on silence and sanitizes rate limits; discord.py would create a plain one."""
    async with LocalDiscord(tmp_path) as local, open_database(tmp_path / "bot.db") as database:
        bot = make_bot(database, partial(Connector, **local.route()))
        async with bot:
            local.inject_fault("me", 200, "a proxy's page")
            async with asyncio.timeout(20):
                await bot.log_in(local.token)
            assert isinstance(bot.http.connector, Connector)
