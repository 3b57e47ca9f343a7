"""Databases whose commits are not confirmed the first time, so that each unit runs again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from bot.storage.postgres import open_postgres
from playground.discord.transport import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.storage.database import Database, UnitOfWork

T = TypeVar("T")
_CONFIRMED = b"C\0\0\0\x0bCOMMIT\0"


async def _nothing() -> None:
    pass


class RepeatingDatabase:
    """Runs each unit twice, and returns what it returned last; `between` comes after the first commit."""

    def __init__(self, database: Database, between: Callable[[], Awaitable[object]] = _nothing) -> None:
        self._database = database
        self._between = between
        self.clock, self.driver_error = database.clock, database.driver_error
        self.process_id = database.process_id

    async def read(self, work: UnitOfWork[T]) -> T:
        return await self._database.read(work)

    async def transaction(self, work: UnitOfWork[T], **options: Any) -> T:
        await self._database.transaction(work, **options)
        await self._between()
        return await self._database.transaction(work, **options)


class CuttingDatabase:
    """A PostgreSQL database behind a proxy, which cuts the connection once each transaction is committed."""

    def __init__(self, database: Database, proxy: CommitProxy) -> None:
        self._database = database
        self._proxy = proxy
        self.clock, self.driver_error = database.clock, database.driver_error
        self.process_id = database.process_id

    async def read(self, work: UnitOfWork[T]) -> T:
        return await self._database.read(work)

    async def transaction(self, work: UnitOfWork[T], **options: Any) -> T:
        cuts = self._proxy.cuts
        self._proxy.is_armed = True
        result = await self._database.transaction(work, **options)
        assert self._proxy.cuts == cuts + 1
        return result


class CommitProxy:
    """Forwards everything, but if it is armed, not the server's next confirmation of a commit."""

    def __init__(self, port: int) -> None:
        self._far_port = port
        self.is_armed = False
        self.cuts = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._far_port)
        ways = [
            asyncio.ensure_future(self._forward(reader, far_writer)),
            asyncio.ensure_future(self._forward(far_reader, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (writer, far_writer):
            end.transport.abort()
        await asyncio.gather(*ways, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(2**16):
                if self.is_armed and _CONFIRMED in data:
                    self.is_armed = False
                    self.cuts += 1
                    return
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def open_cutting(url: str) -> AsyncIterator[CuttingDatabase]:
    """Open a PostgreSQL database through a proxy."""
    port = urlsplit(url).port
    assert port
    proxy = CommitProxy(port)
    server = await asyncio.start_server(proxy.serve, LOOPBACK, 0)
    near_port = server.sockets[0].getsockname()[1]
    try:
        async with open_postgres(url.replace(f":{port}/", f":{near_port}/")) as database:
            yield CuttingDatabase(database, proxy)
    finally:
        server.close()
