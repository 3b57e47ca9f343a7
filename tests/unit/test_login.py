"""Which errors of a login are waited for, which end the start, and what a repeated one keeps."""

from __future__ import annotations

import asyncio
import errno
import socket
from functools import partial
from typing import TYPE_CHECKING, cast

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from bot.app import _is_transient, _log_in
from bot.discord.connector import Connector
from bot.storage.database import open_database
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
def test_the_network_comes_up_later(error: Exception) -> None:
    assert _is_transient(error)


@pytest.mark.parametrize(
    "error",
    [refused_by_proxy(407), refused_by_proxy(403), aiohttp.InvalidURL("http://"), ValueError()],
    ids=repr,
)
def test_what_time_does_not_change(error: Exception) -> None:
    assert not _is_transient(error)


async def test_a_repeated_login_goes_through_the_same_kind_of_connector(tmp_path: Path) -> None:
    """It watches for silence and makes rate limits sane; discord.py would take a plain one."""
    async with LocalDiscord(tmp_path) as local, open_database(tmp_path / "bot.db") as database:
        bot = make_bot(database, partial(Connector, **local.route()))
        async with bot:
            local.inject_fault("me", 200, "a proxy's page")
            async with asyncio.timeout(20):
                await _log_in(bot, local.token)
            assert isinstance(bot.http.connector, Connector)
