"""A PostgreSQL server that refuses, restarts, disappears or doesn't answer."""

from __future__ import annotations

import asyncio
import builtins
import gc
import time
from contextlib import suppress
from operator import methodcaller
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

from bot.clock import Clock
from bot.errors import BusyError, ConfigError
from bot.storage import postgres
from bot.storage.database_url import PostgresUrl, open_database, parse_database_url
from bot.storage.health import HealthStore
from bot.storage.key_values import KeyValueStore
from bot.storage.postgres import POOL_SIZE, open_postgres
from tests.postgres import PASSWORD, PASSWORD_ROLE, PostgresServer
from tests.relay import relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bot.storage.database import Connection
    from bot.storage.postgres import PostgresDatabase
    from tests.relay import Relay

LOGIN = f"postgresql+asyncpg://me:{quote(PASSWORD, safe='')}"


async def problem_of(url: str) -> str:
    address = parse_database_url(url)
    assert isinstance(address, PostgresUrl)
    with pytest.raises(ConfigError) as raised:
        async with open_database(address, Clock()):
            pass
    (problem,) = raised.value.problems
    assert PASSWORD not in problem
    return problem


class TestStart:
    async def test_password(self, postgres_server: PostgresServer, postgres_url: str) -> None:
        name = postgres_url.rpartition("/")[2]
        postgres_server.sql(f"grant imagine to {PASSWORD_ROLE}")
        async with open_postgres(postgres_server.url(name, user=PASSWORD_ROLE, password=PASSWORD)):
            pass
        for password in ("wrong-4711", ""):
            problem = await problem_of(postgres_server.url(name, user=PASSWORD_ROLE, password=password))
            assert problem == "DATABASE_URL can't be used: PostgreSQL refuses its user or password"

    async def test_unknown_user(self, postgres_server: PostgresServer) -> None:
        problem = await problem_of(postgres_server.url("postgres", user="nobody", password=PASSWORD))
        assert problem == "DATABASE_URL can't be used: PostgreSQL refuses its user or password"

    async def test_missing_database(self, postgres_server: PostgresServer) -> None:
        problem = await problem_of(postgres_server.url("nothing"))
        assert problem.startswith("DATABASE_URL can't be used: PostgreSQL has no database of that name: ")

    async def test_database_of_someone_else(self, postgres_server: PostgresServer) -> None:
        problem = await problem_of(postgres_server.url("postgres"))
        assert problem.startswith("DATABASE_URL can't be used: its user may not create tables: ")

    async def test_server_that_does_not_run(self, unused_tcp_port: int) -> None:
        problem = await problem_of(f"{LOGIN}@127.0.0.1:{unused_tcp_port}/name")
        assert problem == "DATABASE_URL can't be used: PostgreSQL can't be reached at its host and port"

    async def test_unknown_host(self) -> None:
        problem = await problem_of(f"{LOGIN}@host.invalid/name")
        assert problem == "DATABASE_URL can't be used: PostgreSQL can't be reached at its host and port"

    async def test_missing_driver(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def find(name: str, *arguments: Any) -> Any:
            if name == "bot.storage.postgres":
                raise ModuleNotFoundError(name="asyncpg")
            return imported(name, *arguments)

        imported = builtins.__import__
        monkeypatch.setattr(builtins, "__import__", find)
        problem = await problem_of("postgresql+asyncpg://host/name")
        assert problem.startswith("PostgreSQL needs the package asyncpg: run ")


@pytest.fixture
def own_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """Yield a server that this test alone uses."""
    with postgres_server.another() as server:
        yield server


async def test_restart_of_the_server_is_survived(own_server: PostgresServer) -> None:
    """A unit that the stop cuts off is repeated once the server is back, even in the middle."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    runs = 0

    async def work(connection: Connection) -> None:
        nonlocal runs
        runs += 1
        await connection.execute("insert into facts values ('name', 'value')")
        begun.set()
        await go_on.wait()

    with own_server.new_database(template="template0") as url:
        async with open_postgres(url) as database:
            store = KeyValueStore(database)
            writing = asyncio.create_task(database.transaction(work))
            await begun.wait()
            reads = [asyncio.create_task(store.get("name")) for _ in range(3 * POOL_SIZE)]
            await asyncio.to_thread(own_server.restart)
            go_on.set()
            await writing
            await asyncio.gather(*reads)
            assert await store.get("name") == "value"
    assert runs == 2


async def test_freeze_in_the_middle_of_a_read_is_busy(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the process wakes up, the answer is there, but the time of the unit is over."""
    monkeypatch.setattr(postgres, "READ_SECONDS", 0.1)
    async with open_postgres(postgres_url) as database:
        for ticks in range(1, 11):
            await KeyValueStore(database).set("name", "value")  # connects again
            sql = f"select {ticks}"  # prepared first, then run
            reading = asyncio.create_task(database.read(methodcaller("execute_fetchall", sql)))
            for _ in range(ticks):
                await asyncio.sleep(0)
            time.sleep(0.2)  # noqa: ASYNC251 (the freeze)
            with suppress(BusyError):
                await reading


async def test_server_that_is_down_is_busy_at_once_and_used_again_later(own_server: PostgresServer) -> None:
    with own_server.new_database(template="template0") as url:
        async with open_postgres(url) as database:
            store, loop = KeyValueStore(database), asyncio.get_running_loop()
            await asyncio.to_thread(own_server.stop)
            started = loop.time()
            outcomes = await asyncio.gather(
                *(store.set(f"{number}", "") for number in range(50)),
                store.get("name"),
                HealthStore(database).check_writable(),
                return_exceptions=True,
            )
            assert {type(each) for each in outcomes} == {BusyError}
            assert loop.time() - started < 10  # 2.5 on an idle machine
            await asyncio.to_thread(own_server.start)
            await store.set("name", "value")
            assert await store.get("name") == "value"


class TestSilentNetwork:
    """Nothing arrives any more, but no connection breaks either."""

    @pytest.fixture
    async def network(self, postgres_url: str) -> AsyncIterator[Relay]:
        async with relay(urlsplit(postgres_url).port or 0) as opened:
            yield opened

    @pytest.fixture
    async def database(self, postgres_url: str, network: Relay) -> AsyncIterator[PostgresDatabase]:
        port = urlsplit(postgres_url).port
        async with open_postgres(postgres_url.replace(f":{port}/", f":{network.port}/")) as opened:
            yield opened
            network.resume()
            network.drops_responses = False
            network.cut()

    @pytest.mark.parametrize("is_lost", ["the statement", "the answer"])
    async def test_writes_are_busy_within_three_seconds(
        self, database: PostgresDatabase, network: Relay, is_lost: str
    ) -> None:
        store, loop = KeyValueStore(database), asyncio.get_running_loop()
        await store.set("name", "before")
        if is_lost == "the statement":
            network.stall()
        else:
            network.drops_responses = True
        started = loop.time()
        outcomes = await asyncio.gather(
            *(store.set("name", "lost") for _ in range(2 * POOL_SIZE)), return_exceptions=True
        )
        assert {type(each) for each in outcomes} == {BusyError}
        assert loop.time() - started < 10  # 2.5 on an idle machine
        network.resume()
        network.drops_responses = False
        network.cut()
        await store.set("name", "after")
        assert await store.get("name") == "after"

    async def test_close_does_not_wait(self, postgres_url: str, network: Relay) -> None:
        port, loop = urlsplit(postgres_url).port, asyncio.get_running_loop()
        async with open_postgres(postgres_url.replace(f":{port}/", f":{network.port}/")) as database:
            await KeyValueStore(database).set("name", "before")
            network.stall()
            started = loop.time()
        assert loop.time() - started < 10

    async def test_failure_after_the_caller_was_cancelled_is_not_reported(
        self, postgres_url: str, network: Relay
    ) -> None:
        port, loop = urlsplit(postgres_url).port, asyncio.get_running_loop()
        reported: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: reported.append(context))
        async with open_postgres(postgres_url.replace(f":{port}/", f":{network.port}/")) as database:
            await KeyValueStore(database).set("name", "before")
            network.stall()
            writing = asyncio.create_task(KeyValueStore(database).set("name", "lost"))
            await asyncio.sleep(0)
            writing.cancel()
            await asyncio.wait([writing])
            del writing  # its traceback would keep the unit alive
        gc.collect()
        assert reported == []
