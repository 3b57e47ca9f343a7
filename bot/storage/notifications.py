"""PostgreSQL's notifications, by which a process hears at once what its next heartbeat would find."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import asyncpg

from bot.storage.leases import ANYONE
from bot.storage.postgres import CONNECT_SECONDS, connect

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)
_CHANNEL = "imagine_bot"  # as in queries/leases.sql
_CHECK_SECONDS = 5.0
_CLIENT_ERRORS = (asyncpg.InterfaceError, asyncpg.InternalClientError)


async def listen(url: str, process_id: str, wake: Callable[[], object]) -> None:
    """Call `wake` when this process is notified, on a connection of its own, until the task is cancelled.

    A broken connection is opened again. What is missed meanwhile is found by the next heartbeat, as is
    everything behind a pooler that passes on no notifications.
    """

    def on_notification(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        if payload in (process_id, ANYONE):
            wake()

    while True:
        try:
            connection = await connect(url)
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.add_listener(_CHANNEL, on_notification)
                while True:
                    await asyncio.sleep(_CHECK_SECONDS)
                    await connection.execute("select 1", timeout=CONNECT_SECONDS)
            finally:
                connection.terminate()
        except (OSError, asyncpg.PostgresError, *_CLIENT_ERRORS) as error:
            _log.debug("no notifications from PostgreSQL: %r", error)
        await asyncio.sleep(_CHECK_SECONDS)
