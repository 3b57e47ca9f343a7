"""A process hears at once what others want from it; without notifications, its next heartbeat finds out."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from bot.clock import Clock
from bot.domain.quota import Limits
from bot.jobs import lease
from bot.jobs.lease import Lease
from bot.jobs.runner import JobRunner
from bot.storage.database_url import open_database, open_for_lease, open_listener, parse_database_url
from bot.storage.jobs import JobStore
from tests.factories import make_job, make_shares, reserve
from tests.tcp import connection, copy, tcp_server, until_one_ends

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from bot.domain.job import Job
    from bot.storage.database import Connection, Database
    from tests.postgres import PostgresServer

_SECONDS = 30
_HOUR = 3600.0


class Runner(JobRunner):
    """Notes the jobs that it is given, and those that it is asked to cancel."""

    def __init__(self) -> None:
        self.adopted: set[str] = set()
        self.cancelled: set[str] = set()

    @property
    def running(self) -> set[str]:
        return set()

    async def adopt(self, jobs: Iterable[Job]) -> None:
        self.adopted |= {job.job_id for job in jobs}

    async def cancel_requested(self, jobs: Iterable[Job]) -> None:
        self.cancelled |= {job.job_id for job in jobs}


class Process:
    """A process with a heartbeat and a listener."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self.database, self.jobs, self.lease, self.runner = database, JobStore(database), lease, Runner()

    async def reserve(self) -> Job:
        job = make_job()
        await reserve(self.jobs, job, Limits())
        return job


@asynccontextmanager
async def process(url: str, *, listens_at: str | None = None) -> AsyncIterator[Process]:
    """Start a process, whose listener can reach the database by a path of its own."""
    parsed = parse_database_url(url)
    async with open_database(parsed, Clock()) as database, open_for_lease(parsed, database) as for_lease:
        opened = Process(database, Lease(for_lease, make_shares()))
        await opened.lease.start(opened.runner)
        listens = parse_database_url(listens_at or url)
        async with open_listener(listens, database.process_id, opened.lease.wake):
            yield opened
        await opened.lease.end()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(_SECONDS):
        while not condition():  # noqa: ASYNC110 (a database has no event to wait for)
            await asyncio.sleep(0.05)


async def press_until_heard(presser: Process, holder: Process) -> None:
    """Cancel jobs of one process in another one, until it hears of a press."""
    async with asyncio.timeout(_SECONDS):
        while not holder.runner.cancelled:
            job = await holder.reserve()
            assert await presser.jobs.request_cancel(job.job_id, job.user_id)
            await asyncio.sleep(0.2)


@pytest.fixture
def without_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no heartbeat come in time but those of notifications."""
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", _HOUR)


@pytest.mark.usefixtures("without_sweep")
async def test_press_reaches_the_process_that_runs_the_job(postgres_url: str) -> None:
    async with process(postgres_url) as first, process(postgres_url) as second:
        await press_until_heard(second, first)
        job = await first.reserve()
        assert await second.jobs.request_cancel(job.job_id, job.user_id)
        await until(lambda: job.job_id in first.runner.cancelled)
        assert not second.runner.cancelled


@pytest.mark.usefixtures("without_sweep")
async def test_jobs_of_a_stopped_process_are_taken_over_at_once(postgres_url: str) -> None:
    async with process(postgres_url) as second:
        async with process(postgres_url) as first:
            await press_until_heard(first, second)  # it listens
            job = await first.reserve()
        await until(lambda: job.job_id in second.runner.adopted)


@pytest.mark.usefixtures("without_sweep")
async def test_cut_connection_is_opened_again(postgres_url: str) -> None:
    async with process(postgres_url) as first, process(postgres_url) as second:
        await press_until_heard(second, first)

        async def cut(connection: Connection) -> None:
            await connection.execute_fetchall(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )

        await second.database.transaction(cut)
        first.runner.cancelled.clear()
        await press_until_heard(second, first)


@pytest.mark.parametrize("is_reachable", [True, False], ids=["it refuses to listen", "it is unreachable"])
async def test_heartbeat_finds_presses_where_listening_is_impossible(
    postgres_server: PostgresServer, postgres_url: str, *, is_reachable: bool
) -> None:
    """As behind a pooler; its connection breaks, and nothing else does."""
    port, refused = postgres_server.port, asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with connection(port) as (far_reader, far_writer):
            await until_one_ends(until_listen(reader, far_writer), copy(far_reader, writer))

    async def until_listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (data := await reader.read(1 << 16)) and b"LISTEN" not in data:
            writer.write(data)
        refused.set()

    async with tcp_server(refuse) as refusing:
        listens_at = postgres_url.replace(f":{port}/", f":{refusing if is_reachable else 1}/")
        async with process(postgres_url, listens_at=listens_at) as first, process(postgres_url) as second:
            if is_reachable:
                await asyncio.wait_for(refused.wait(), _SECONDS)
            await press_until_heard(second, first)
