"""PostgreSQL through asyncpg: a pool of connections, each unit of work a transaction of its own."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import asyncpg
import stamina

from bot.clock import Clock
from bot.errors import BusyError, ConfigError
from bot.storage.postgres_migration import migrate, require_tables

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

    from asyncpg.pool import PoolConnectionProxy

    from bot.storage.database import UnitOfWork

T = TypeVar("T")

POOL_SIZE = 10
"""Connections at most; more don't make a burst faster."""
CONNECT_SECONDS = 10.0
"""How long the first connection may take."""
WAIT_SECONDS = 1.8
"""How long a unit waits for a connection at most; Discord allows three seconds for everything."""
WRITE_SECONDS = 2.5
"""When a transaction that has not ended is undone; locks and a network without answers can hold it up."""
READ_SECONDS = 10.0
"""The same for reads, since the reports of a large server take longer."""
_SETTINGS = {
    "application_name": "imagine-bot",
    "idle_in_transaction_session_timeout": "5s",  # a frozen process must not keep its locks
    "lock_timeout": "2s",
    "statement_timeout": f"{READ_SECONDS:.0f}s",
    "timezone": "UTC",
}
_BUSY = (
    OSError,  # also TimeoutError
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
_CONFLICTS = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,  # a newer process has changed a table
)
_LOST = (
    ConnectionError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    # The server restarts; the first is raised where an idle connection has just got the second.
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
_repeat = stamina.AsyncRetryingCaller(attempts=None, timeout=2.0, wait_initial=0.01, wait_max=0.2).on(
    (*_CONFLICTS, *_LOST)
)
_REASONS: Final = {
    asyncpg.InvalidAuthorizationSpecificationError: "PostgreSQL refuses its user or password",
    asyncpg.InvalidCatalogNameError: "PostgreSQL has no database of that name: create it first",
    asyncpg.InsufficientPrivilegeError: "its user may not create tables: make it the database's owner",
    asyncpg.CannotConnectNowError: "PostgreSQL is starting or stopping",
    asyncpg.TooManyConnectionsError: "PostgreSQL has no connection left: raise its max_connections",
    TimeoutError: "PostgreSQL does not answer at its host and port",
    OSError: "PostgreSQL can't be reached at its host and port",
}
_NONE: Final[Mapping[str, object]] = MappingProxyType({})
_LOCK = "select pg_advisory_xact_lock(hashtextextended(name, 0)) from unnest($1::text[]) as name"
# Quoted texts and comments are skipped; `::` is a cast.
_PARAMETER = re.compile(r"'(?:''|[^'])*'|--[^\n]*|::\w+|:(\w+)")


@dataclass(frozen=True)
class _Result:
    rowcount: int


class PostgresConnection:
    """A `Connection` of a transaction in progress."""

    def __init__(self, connection: PoolConnectionProxy[Any]) -> None:
        self._connection = connection

    async def execute(self, sql: str, parameters: Mapping[str, object] = _NONE, /) -> _Result:
        """See `Connection.execute`."""
        statement, names = positional(sql)
        status = await self._connection.execute(statement, *(parameters[name] for name in names))
        count = status.rpartition(" ")[2]  # such as UPDATE 3, or INSERT 0 1
        return _Result(int(count) if count.isdecimal() else 0)

    async def execute_fetchall(
        self, sql: str, parameters: Mapping[str, object] = _NONE, /
    ) -> list[asyncpg.Record]:
        """See `Connection.execute_fetchall`."""
        statement, names = positional(sql)
        return await self._connection.fetch(statement, *(parameters[name] for name in names))

    async def executemany(self, sql: str, parameters: Iterable[Mapping[str, object]], /) -> None:
        """See `Connection.executemany`."""
        statement, names = positional(sql)
        rows = ([each[name] for name in names] for each in parameters)
        await self._connection.executemany(statement, rows)


@lru_cache(maxsize=1000)
def positional(sql: str) -> tuple[str, tuple[str, ...]]:
    """Return a statement with $1 instead of :name, and the names in the order of their numbers."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        name = match[1]
        return f"${numbers.setdefault(name, len(numbers) + 1)}" if name else match[0]

    return _PARAMETER.sub(number, sql), tuple(numbers)


class PostgresDatabase:
    """A `Database` that several processes can share; what is committed is always durable."""

    driver_error: type[Exception] = asyncpg.PostgresError

    def __init__(self, pool: asyncpg.Pool[Any], *, clock: Clock, process_id: str) -> None:
        self.clock = clock
        self.process_id = process_id
        self._pool = pool
        self._running: set[asyncio.Task[Any]] = set()

    async def read(self, work: UnitOfWork[T]) -> T:
        """See `Database.read`."""
        return await self._run(work, readonly=True)

    async def transaction(
        self,
        work: UnitOfWork[T],
        *,
        high_priority: bool = False,  # noqa: ARG002 (units don't wait for one another here)
        durable: bool = True,  # noqa: ARG002 (always: one sync is little beside the network)
        locks: Sequence[str] = (),
    ) -> T:
        """See `Database.transaction`.

        If the connection breaks, the unit is repeated for two seconds. Its commit may have happened, even if
        BusyError is raised in the end, so a unit recognizes what its earlier run has written.
        """
        return await self._run(work, readonly=False, locks=locks)

    async def close(self) -> None:
        """Return once all units are done, also those whose callers were cancelled."""
        if self._running:
            await asyncio.wait(self._running)

    async def _run(self, work: UnitOfWork[T], *, readonly: bool, locks: Sequence[str] = ()) -> T:
        task = asyncio.create_task(self._transact(work, readonly=readonly, locks=locks))
        self._running.add(task)
        task.add_done_callback(self._discard)
        return await asyncio.shield(task)  # so that a cancelled caller doesn't undo its unit

    def _discard(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # asyncio complains if no one retrieves it, as after a cancel of the caller

    async def _transact(self, work: UnitOfWork[T], *, readonly: bool, locks: Sequence[str]) -> T:
        ends_at = asyncio.get_running_loop().time() + (READ_SECONDS if readonly else WRITE_SECONDS)
        try:
            return await _repeat(self._attempt, work, readonly=readonly, locks=locks, ends_at=ends_at)
        except (*_BUSY, *_CONFLICTS, *_LOST) as error:
            raise BusyError from error

    async def _attempt(
        self, work: UnitOfWork[T], *, readonly: bool, locks: Sequence[str], ends_at: float
    ) -> T:
        loop = asyncio.get_running_loop()
        wait_seconds = max(0.01, min(WAIT_SECONDS, ends_at - loop.time()))
        async with self._pool.acquire(timeout=wait_seconds) as connection:
            timer = loop.call_at(ends_at, _terminate, connection)  # a cancellation would wait for the server
            try:
                if readonly:
                    return await work(PostgresConnection(connection))
                async with connection.transaction(isolation="read_committed"):
                    if locks:
                        await connection.execute(_LOCK, locks)
                    return await work(PostgresConnection(connection))
            except _LOST:
                _terminate(connection)  # or another unit could get it before the driver notices
                raise
            except AttributeError as error:
                if not _is_closed(connection):
                    raise
                # The driver had the answer to one message, and broke before the next one.
                raise asyncpg.InterfaceError("the connection is closed") from error
            finally:
                timer.cancel()


def _terminate(connection: PoolConnectionProxy[Any]) -> None:
    with suppress(asyncpg.InterfaceError):  # it broke, so the pool has taken it back
        connection.terminate()


def _is_closed(connection: PoolConnectionProxy[Any]) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True  # the pool has taken it back


@asynccontextmanager
async def open_postgres(
    url: str,
    clock: Clock | None = None,
    *,
    process_id: str = "",
    migrates: bool = True,
    connections: int = POOL_SIZE,
) -> AsyncIterator[PostgresDatabase]:
    """Connect to a PostgreSQL database, creating or migrating its tables if needed and allowed.

    Raises:
        ConfigError: The server refuses the connection, or a newer bot wrote the database.
    """
    async with AsyncExitStack() as stack:
        with config_errors():
            pool = await stack.enter_async_context(
                asyncpg.create_pool(
                    _dsn(url),
                    min_size=1,
                    max_size=connections,
                    timeout=CONNECT_SECONDS,
                    reset=_keep,
                    server_settings=_SETTINGS,
                )
            )
            async with pool.acquire() as connection:
                await (migrate if migrates else require_tables)(connection)
        database = PostgresDatabase(pool, clock=clock or Clock(), process_id=process_id)
        stack.push_async_callback(database.close)
        yield database


async def connect(url: str, **settings: str) -> asyncpg.Connection[Any]:
    """Open a connection of its own, with these settings of the server beside the usual ones."""
    return await asyncpg.connect(
        _dsn(url), timeout=CONNECT_SECONDS, server_settings={**_SETTINGS, **settings}
    )


async def read_rows(url: str, statement: str, values: Mapping[str, object] = _NONE) -> list[asyncpg.Record]:
    """Run a select on a connection of its own; there are no rows if the bot has not created the tables yet.

    Raises:
        ConfigError: The server refuses the connection.
    """
    with config_errors():
        connection = await connect(url)
        try:
            sql, names = positional(statement)
            return await connection.fetch(sql, *(values[name] for name in names))
        except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
            return []
        finally:
            connection.terminate()


@contextmanager
def config_errors() -> Iterator[None]:
    """Raise what the driver raises as a `ConfigError` that says what to fix."""
    try:
        yield
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        reason = next((text for kind, text in _REASONS.items() if isinstance(error, kind)), f"{error}")
        raise ConfigError([f"DATABASE_URL can't be used: {reason}"]) from error


def _dsn(url: str) -> str:
    return url.replace("+asyncpg", "", 1)


async def _keep(_connection: asyncpg.Connection[Any]) -> None:
    """Reset nothing between units: none changes the session, and the reset is another round trip."""
