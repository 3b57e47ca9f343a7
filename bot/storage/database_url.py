"""DATABASE_URL: a file of SQLite, or a database on a PostgreSQL server."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from bot.errors import ConfigError
from bot.storage import sqlite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from bot.clock import Clock
    from bot.storage.database import Database

_SQLITE, _POSTGRES = "sqlite+aiosqlite:///", "postgresql+asyncpg://"
_FILE = f"{_SQLITE}data/bot.db"
_SERVER = f"{_POSTGRES}user:password@host/name"
_LEASE_CONNECTIONS = 2  # for the heartbeat and for duties
_ENCODED = f"must be such as {_SERVER}, with %40 for @ in the password, %3A for :, %2F for /, and so on"


@dataclass(frozen=True)
class PostgresUrl:
    """The address of a PostgreSQL database."""

    text: str = field(repr=False)
    """With the password."""
    password: str = field(repr=False)
    """Empty if it comes from elsewhere, such as PGPASSWORD or ~/.pgpass."""

    @property
    def for_libpq(self) -> str:
        """What PostgreSQL's own programs take as `--dbname`; without the password."""
        parts = urlsplit(self.text)
        values = {"host": parts.hostname, "port": parts.port, "user": unquote(parts.username or "")}
        values |= {"dbname": unquote(parts.path[1:]), **dict(parse_qsl(parts.query))}
        values.pop("password", None)
        return " ".join(f"{name}={_quoted(str(value))}" for name, value in values.items() if value)


def _quoted(value: str) -> str:
    if re.fullmatch(r"[\w.:/-]+", value):
        return value
    return "'" + re.sub(r"(['\\])", r"\\\1", value) + "'"


DatabaseUrl: TypeAlias = Path | PostgresUrl


def parse_database_url(url: str) -> DatabaseUrl:
    """Return the file or the server's database that a DATABASE_URL names.

    Raises:
        ValueError: It is neither; the message completes a sentence that begins with the setting's name.
    """
    if url.startswith(_POSTGRES):
        return _parse_postgres(url)
    path = url.removeprefix(_SQLITE)
    if path in {"", url} or path.startswith(":"):  # each connection would have its own :memory: database
        raise ValueError(f"must be a file, such as {_FILE}, or a PostgreSQL database, such as {_SERVER}")
    return Path(path)


def _parse_postgres(url: str) -> PostgresUrl:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(_ENCODED) from None
    host, name = parts.hostname or "", parts.path.removeprefix("/")
    if parts.fragment or "/" in name:
        raise ValueError(_ENCODED)
    if not name:
        raise ValueError(f"must name a database at the end, such as {_SERVER}")
    user, password = (unquote(each or "") for each in (parts.username, parts.password))
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    address = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    query = f"?{parts.query}" if parts.query else ""
    password = password or dict(parse_qsl(parts.query)).get("password", "")
    return PostgresUrl(f"{_POSTGRES}{login}{'@' if login else ''}{address}/{name}{query}", password)


@asynccontextmanager
async def open_database(url: DatabaseUrl, clock: Clock) -> AsyncIterator[Database]:
    """Open the database, creating or migrating its tables if needed.

    Raises:
        ConfigError: It can't be used; the text has no password.
    """
    if isinstance(url, Path):
        async with sqlite.open_database(url, clock) as database:
            yield database
        return
    with needs_driver():
        from bot.storage.postgres import open_postgres  # noqa: PLC0415 (needs an optional package)
    process_id = secrets.token_hex(8)
    async with open_postgres(url.text, clock, process_id=process_id) as database:
        yield database


@asynccontextmanager
async def open_for_lease(url: DatabaseUrl, database: Database) -> AsyncIterator[Database]:
    """Open the same database on connections that no burst of other units keeps busy; SQLite has no lease.

    Raises:
        ConfigError: It can't be used; the text has no password.
    """
    if isinstance(url, Path):
        yield database
        return
    from bot.storage.postgres import open_postgres  # noqa: PLC0415 (needs an optional package)

    clock, process_id = database.clock, database.process_id
    async with open_postgres(
        url.text, clock, process_id=process_id, migrates=False, connections=_LEASE_CONNECTIONS
    ) as opened:
        yield opened


@asynccontextmanager
async def open_listener(url: DatabaseUrl, process_id: str, wake: Callable[[], object]) -> AsyncIterator[None]:
    """Call `wake` when another process notifies this one; with SQLite there is no other process."""
    if isinstance(url, Path):
        yield
        return
    from bot.storage.notifications import listen  # noqa: PLC0415 (needs an optional package)

    listening = asyncio.create_task(listen(url.text, process_id, wake), name="notifications")
    try:
        yield
    finally:
        listening.cancel()


@asynccontextmanager
async def open_beside_bot(url: DatabaseUrl) -> AsyncIterator[Database]:
    """Open an existing database as it is, whether or not a bot is using it.

    Raises:
        ConfigError: There is none, or it can't be used; the text has no password.
    """
    if isinstance(url, Path):
        async with sqlite.open_beside_bot(url) as database:
            yield database
        return
    with needs_driver():
        from bot.storage.postgres import open_postgres  # noqa: PLC0415 (needs an optional package)
    async with open_postgres(url.text, migrates=False) as database:
        yield database


@contextmanager
def needs_driver() -> Iterator[None]:
    """Import modules that need PostgreSQL's driver.

    Raises:
        ConfigError: It isn't installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        remedy = "run .venv/bin/python -m pip install --require-hashes -r requirements-postgres.lock"
        raise ConfigError([f"PostgreSQL needs the package {error.name}: {remedy}"]) from error
