"""Copying a SQLite database into PostgreSQL: every row as it is, or nothing."""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from bot.errors import ConfigError
from bot.storage import copying
from bot.storage.copying import copy, tables
from bot.storage.durations import DurationStore
from bot.storage.lock import exclusive_lock
from bot.storage.postgres import open_postgres
from bot.storage.sqlite import open_database
from tests.postgres import PASSWORD, PASSWORD_ROLE
from tests.storage.ledger import change, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import PostgresServer

BIGGEST, SMALLEST = 2**63 - 1, -(2**63)
TEXTS = [
    '{"prompt": "\\u0000 \\ud83e\\udd8a"}',
    "Лиса 🦊 'quoted\" \\ \t\r\n",
    "",
    "Zebra",
    "ähre",
    "_",
    "a\u200b",
]
_SMALL = {"image_count": 10, "refunded": 3, "budget_refunded": 3}  # bounded by each other
_INT4 = {"check_count", "is_private", "is_spoiler", "delivered", "made", "start_over"}


@pytest.fixture
def url(path: Path) -> str:
    """Return the URL of a file with a row of odd values for each text, in every table."""
    asyncio.run(_create(path))
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in tables(connection):
            for number, text in enumerate(TEXTS):
                row = {column: _odd(connection, table.name, column, number, text) for column in table.columns}
                names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
                connection.execute(f"insert into {table.name} ({names}) values ({marks})", row)  # noqa: S608 (of a test)
    return f"sqlite+aiosqlite:///{path}"


async def _create(path: Path) -> None:
    async with open_database(path):
        pass


def _odd(connection: sqlite3.Connection, table: str, column: str, number: int, text: str) -> object:
    """Return a value that the column allows; odd rows have null where that is allowed."""
    statement = 'select type, "notnull", pk from pragma_table_info(?) where name = ?'
    kind, is_required, is_key = connection.execute(statement, [table, column]).fetchone()
    if table == "durations":
        return {"id": BIGGEST - 100 * (number + 1), "seconds": 1 / 3 + number, "kind": text}[column]
    if number % 2 and not is_required and not is_key:
        return None
    if kind.upper() == "TEXT":
        return text
    if column in {"used", "credits"}:
        return number if table == "rules" else BIGGEST - number
    small = _SMALL.get(column, number if column in _INT4 else None)
    return small if small is not None else (SMALLEST if number == 2 else BIGGEST - number)


@contextmanager
def _target(server: PostgresServer, template: str = "template0") -> Iterator[str]:
    with server.new_database(template=template) as url:
        yield url


@pytest.fixture
def target(postgres_server: PostgresServer) -> Iterator[str]:
    """Yield the URL of a database without tables."""
    with _target(postgres_server) as url:
        yield url


def stored(url: str, statement: str) -> list[tuple[Any, ...]]:
    async def fetch() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return asyncio.run(fetch())


TABLES = "select table_name from information_schema.tables where table_schema = 'public'"


def refusal(source: str, target: str) -> str:
    """Return why nothing is copied: one sentence without the password."""
    with pytest.raises(ConfigError) as raised:
        copy(source, target, lambda _: None)
    (problem,) = raised.value.problems
    assert "\n" not in problem
    assert "DATABASE_URL" not in problem
    assert not {part for part in (PASSWORD, "4711") if part in problem}
    return problem


@pytest.mark.parametrize("template", ["template0", "empty"])
def test_every_row_of_every_table_is_copied(
    path: Path, url: str, postgres_server: PostgresServer, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "BATCH", 2)
    said: list[str] = []
    with _target(postgres_server, template) as target:
        next_steps = "\n".join(copy(url, target, said.append))
        with closing(sqlite3.connect(path)) as connection:
            every = tables(connection)
        assert said == [f"{table.name}: {len(TEXTS)} rows" for table in every]
        assert f"FILES_DIR={path.parent}" in next_steps
        names = {name for (name,) in stored(target, TABLES)}
        assert names == {table.name for table in every} | {"schema_version"}
        for table in every:
            statement = f"select {', '.join(table.columns)} from {table.name}"  # noqa: S608 (of a test)
            assert sorted(stored(target, statement), key=repr) == sorted(rows(path, statement), key=repr)
            columns = f"select column_name from information_schema.columns where table_name = '{table.name}'"  # noqa: S608 (of a test)
            assert {name for (name,) in stored(target, columns)} == set(table.columns)


def test_generated_ids_continue(path: Path, url: str, target: str) -> None:
    copy(url, target, lambda _: None)
    (last,) = stored(target, "select max(id) from durations")[0]
    asyncio.run(_add_duration(target))
    assert stored(target, "select max(id) from durations") == [(last + 1,)]
    assert rows(path, "select max(id) from durations") == [(last,)]


async def _add_duration(url: str) -> None:
    async with open_postgres(url) as database:
        durations = DurationStore(database)
        durations.record("kind", 2.5)
        await durations.save()


def test_tables_come_after_those_they_refer_to(url: str, path: Path) -> None:
    assert url
    with closing(sqlite3.connect(path)) as connection:
        names = [table.name for table in tables(connection)]
    assert names.index("jobs") < names.index("left_messages")


@pytest.mark.parametrize(
    "change_row",
    [
        "update facts set value = 'other' where name = ''",
        "delete from facts where name = ''",
        "insert into facts values ('more', '')",
    ],
)
def test_difference_undoes_everything(
    url: str, target: str, monkeypatch: pytest.MonkeyPatch, change_row: str
) -> None:
    continue_identities = copying._continue_identities

    async def disturb(connection: asyncpg.Connection[Any], every: list[copying.Table]) -> None:
        await continue_identities(connection, every)
        await connection.execute(change_row)

    monkeypatch.setattr(copying, "_continue_identities", disturb)
    assert "facts" in refusal(url, target)
    assert stored(target, TABLES) == []


@pytest.mark.parametrize(
    ("spoiled", "expected"),
    [
        ("update facts set value = char(0) where name = ''", "facts that PostgreSQL refuses"),
        ("update jobs set delivered = 4000000000", "jobs that PostgreSQL refuses"),
        ("update jobs set created_at = 'noon'", "jobs that PostgreSQL refuses"),
        ("update jobs set locale = cast(x'ff' as text)", "SOURCE can't be read"),
        ("pragma user_version = 18", "SOURCE is of an older version: start the bot once"),
        ("pragma user_version = 1000", "SOURCE was written by a newer version"),
    ],
)
def test_source_that_cannot_be_copied(path: Path, url: str, target: str, spoiled: str, expected: str) -> None:
    change(path, spoiled)
    assert expected in refusal(url, target)
    assert stored(target, TABLES) == []


def test_source_in_use(path: Path, url: str, target: str) -> None:
    with exclusive_lock(path):
        assert (
            refusal(url, target)
            == f"SOURCE is in use by the bot with process id {os.getpid()}: stop it first"
        )
    assert stored(target, TABLES) == []


@pytest.mark.parametrize("table", ["facts", "processes"])
def test_target_that_is_not_empty(url: str, postgres_server: PostgresServer, table: str) -> None:
    with _target(postgres_server, "empty") as target:
        values = "'one', ''" if table == "facts" else "'one', 1"
        stored(target, f"insert into {table} values ({values})")  # noqa: S608 (of a test)
        assert refusal(url, target) == f"TARGET is not empty, it has rows in {table}: create a new one"
        assert stored(target, "select count(*) from jobs") == [(0,)]


def test_target_may_sort_by_a_language(url: str, postgres_server: PostgresServer) -> None:
    """English puts ä before Z."""
    name = f"english_{secrets.token_hex(4)}"
    english = "locale_provider icu icu_locale 'en' encoding 'UTF8' locale 'C.UTF-8'"
    postgres_server.sql(f"create database {name} owner imagine template template0 {english}")
    try:
        target = postgres_server.url(name)
        copy(url, target, lambda _: None)
        english_order = [name for (name,) in stored(target, "select name from facts order by name")]
        assert english_order != sorted(TEXTS)
    finally:
        postgres_server.sql(f"drop database {name} with (force)")


def test_second_copy_is_refused(url: str, target: str) -> None:
    copy(url, target, lambda _: None)
    assert "TARGET is not empty" in refusal(url, target)


def test_wrong_arguments(tmp_path: Path, url: str) -> None:
    server = f"postgresql+asyncpg://{PASSWORD_ROLE}:4711@127.0.0.1:9/name"
    direction = "SOURCE must be a SQLite file and TARGET a PostgreSQL database"
    assert refusal(server, url) == direction
    assert refusal(url, f"{url}.other") == direction
    assert refusal(server, f"{server}2") == direction
    assert refusal(url, url) == refusal(server, server) == "SOURCE and TARGET are the same database"
    assert refusal(f"{url}.none", server).startswith("there is no database at SOURCE yet")
    assert refusal("data/bot.db", server).startswith("SOURCE must be a file")
    assert refusal(url, "postgresql://host/name").startswith("TARGET must be a file")
    assert refusal(url, server).startswith("TARGET can't be used: PostgreSQL can't be reached")
    (tmp_path / "text").write_text("not a database" * 100)
    assert refusal(f"sqlite+aiosqlite:///{tmp_path}/text", server).startswith(
        "SOURCE can't be read: file is not"
    )


def test_wrong_password(url: str, postgres_server: PostgresServer) -> None:
    wrong = postgres_server.url("postgres", user=PASSWORD_ROLE, password=f"x{PASSWORD}")
    assert refusal(url, wrong) == "TARGET can't be used: PostgreSQL refuses its user or password"


async def test_kill_in_the_middle_leaves_the_target_empty(path: Path, url: str, target: str) -> None:
    """Killed once the first table's rows are on the server; the copy can be repeated then."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "copy", url, target), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    async with asyncio.timeout(30):
        assert b"rows" in await process.stdout.readline()
        process.kill()
        await process.wait()
    assert await asyncio.to_thread(stored, target, TABLES) == []
    await asyncio.to_thread(copy, url, target, lambda _: None)
    assert await asyncio.to_thread(stored, target, "select count(*) from jobs") == [(len(TEXTS),)]
    assert rows(path, "select count(*) from jobs") == [(len(TEXTS),)]
