"""Copy a SQLite file into an empty PostgreSQL database, whole or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from bot import log
from bot.errors import ConfigError
from bot.storage.backup import open_read_only
from bot.storage.database_url import PostgresUrl, parse_database_url
from bot.storage.lock import exclusive_lock
from bot.storage.migration import migrations
from bot.storage.postgres import config_errors, connect
from bot.storage.postgres_migration import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.storage.database_url import DatabaseUrl

BATCH = 5_000
"""Rows that are in memory at once."""
_PROGRESS = 100_000
"""After how many rows of a table a line says how far it is."""
_SETTINGS = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "60s"}


@dataclass(frozen=True)
class Table:
    """A table of the schema; rows are read in the order of its primary key."""

    name: str
    columns: list[str]
    key: list[tuple[str, str]]
    """Names and types."""

    def select(self, collation: str) -> str:
        """Return a query of all rows, which sorts texts by a collation."""
        key = ", ".join(
            f"{name} collate {collation}" if kind.upper() == "TEXT" else name for name, kind in self.key
        )
        return f"select {', '.join(self.columns)} from {self.name} order by {key}"  # noqa: S608 (names of the schema)


def copy(source: str, target: str, say: Callable[[str], None]) -> list[str]:
    """Copy all rows and compare them, in one transaction, and say how far it is; return what to do next.

    Raises:
        ConfigError: In one sentence without passwords: what prevents it. The target has not been changed.
    """
    path, url = _parse("SOURCE", source), _parse("TARGET", target)
    if path == url:
        raise ConfigError(["SOURCE and TARGET are the same database"])
    if not isinstance(path, Path) or not isinstance(url, PostgresUrl):
        raise ConfigError(["SOURCE must be a SQLite file and TARGET a PostgreSQL database"])
    log.hide([url.password])
    with _naming("SOURCE"), _open_source(path) as rows, _naming("TARGET"), config_errors():
        asyncio.run(_copy(rows, url, say))
    return [
        "All rows were copied and compared. Next:",
        f"1. Set DATABASE_URL to this TARGET, and FILES_DIR={path.parent}, where the image files are.",
        "2. Run python -m bot check, and start the bot, which continues unfinished requests.",
        f"Never start a bot with {path} again: it would continue the same requests and pay twice.",
    ]


def _parse(name: str, text: str) -> DatabaseUrl:
    try:
        return parse_database_url(text)
    except ValueError as error:
        raise ConfigError([f"{name} {error}"]) from None


@contextmanager
def _naming(argument: str) -> Iterator[None]:
    """Name the argument in problems, which otherwise name the setting."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError([each.replace("DATABASE_URL", argument) for each in error.problems]) from error


@contextmanager
def _open_source(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file of the newest version in one read transaction, with the lock that a bot would hold."""
    try:
        with open_read_only(path) as connection, exclusive_lock(path):
            connection.execute("begin")
            (version,) = connection.execute("pragma user_version").fetchone()
            if version < max(migrations()):
                raise ConfigError(["SOURCE is of an older version: start the bot once with it, and stop it"])
            if version > max(migrations()):
                raise ConfigError(["SOURCE was written by a newer version of this bot"])
            yield connection
    except OSError as error:
        raise ConfigError([f"SOURCE can't be locked: {error.strerror}"]) from error
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"SOURCE can't be read: {error}"]) from error


def tables(source: sqlite3.Connection) -> list[Table]:
    """Return all tables, each after those that it refers to."""
    names = source.execute(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite#_%' escape '#'"
    )
    references = 'select "table" from pragma_foreign_key_list(?)'
    graph = {name: [each for (each,) in source.execute(references, [name])] for (name,) in names.fetchall()}
    return [_table(source, name) for name in TopologicalSorter(graph).static_order()]


def _table(source: sqlite3.Connection, name: str) -> Table:
    columns = source.execute("select name, type, pk from pragma_table_info(?)", [name]).fetchall()
    key = sorted((place, column, kind) for column, kind, place in columns if place)
    return Table(name, [column for column, _, _ in columns], [(column, kind) for _, column, kind in key])


async def _copy(source: sqlite3.Connection, url: PostgresUrl, say: Callable[[str], None]) -> None:
    target = await connect(url.text, **_SETTINGS)
    try:
        async with target.transaction():
            await migrate(target)  # whose lock keeps bots and other copies out until the commit
            every = tables(source)
            for table in every:
                if await target.fetchval(f"select exists (select from {table.name})"):  # noqa: S608 (a name of the schema)
                    raise ConfigError([f"TARGET is not empty, it has rows in {table.name}: create a new one"])
            for table in every:
                await _copy_rows(source, target, table, say)
            await _continue_identities(target, every)
            for table in every:
                await _compare(source, target, table)
    finally:
        await target.close(timeout=5)


async def _copy_rows(
    source: sqlite3.Connection, target: asyncpg.Connection[Any], table: Table, say: Callable[[str], None]
) -> None:
    rows, count = source.execute(table.select("binary")), 0
    try:
        while batch := rows.fetchmany(BATCH):
            await target.copy_records_to_table(table.name, records=batch, columns=table.columns)
            count += len(batch)
            if count % _PROGRESS == 0:
                say(f"{table.name}: {count:,} rows so far")
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, TypeError, OverflowError) as error:
        raise ConfigError([f"SOURCE has a row in {table.name} that PostgreSQL refuses: {error}"]) from error
    say(f"{table.name}: {count:,} rows")


async def _continue_identities(target: asyncpg.Connection[Any], every: list[Table]) -> None:
    """Let generated ids continue after the copied ones."""
    identities = await target.fetch(
        "select table_name, column_name from information_schema.columns"
        " where is_identity = 'YES' and table_schema = current_schema() and table_name = any($1)",
        [table.name for table in every],
    )
    for table, column in identities:
        last = await target.fetchval(f"select coalesce(max({column}), 0) from {table}")  # noqa: S608 (names of the schema)
        await target.execute(f"alter table {table} alter column {column} restart with {last + 1}")


async def _compare(source: sqlite3.Connection, target: asyncpg.Connection[Any], table: Table) -> None:
    rows = source.execute(table.select("binary"))
    async for copied in target.cursor(table.select('"C"'), prefetch=BATCH):
        if tuple(copied) != rows.fetchone():
            raise ConfigError([f"a row in {table.name} was not copied as it is, so nothing was copied"])
    if rows.fetchone():
        raise ConfigError([f"not all rows in {table.name} were copied, so nothing was copied"])
