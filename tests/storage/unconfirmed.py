"""Databases whose commits are not confirmed the first time, so that each unit runs again."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from bot.storage.postgres import open_postgres
from tests.tcp import connection, tcp_server, until_one_ends

if TYPE_CHECKING:
    import asyncio
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
        async with connection(self._far_port) as (far_reader, far_writer):
            await until_one_ends(self._forward(reader, far_writer), self._forward(far_reader, writer))

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
    async with (
        tcp_server(proxy.serve) as near_port,
        open_postgres(url.replace(f":{port}/", f":{near_port}/")) as database,
    ):
        yield CuttingDatabase(database, proxy)
