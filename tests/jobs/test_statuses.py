"""Statuses of RunComfy, documented or not."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import JobStatus
from playground.runcomfy import LocalRunComfy, edit_json, respond
from tests.jobs.bot import Bot, Channel, run_fast

if TYPE_CHECKING:
    from pathlib import Path


async def ends(folder: Path, word: str) -> None:
    """Both responses have this status and nothing else."""
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        for route in ("status", "result"):
            runcomfy.inject_fault(route, respond(200, {"status": word}), times=None)
        bot = await Bot(folder, runcomfy, channel).start()
        began = asyncio.get_running_loop().time()
        job = await bot.in_state(await bot.begin(), JobStatus.FAILED)
        assert asyncio.get_running_loop().time() - began < bot.deadline.total_seconds() / 3
        assert (job.error, job.refunded) == ("generation-failed", 1)
        await bot.crash()


@pytest.mark.parametrize("word", ["error", "Errored", "TIMED_OUT", "expired", "rejected", "aborted", "done"])
def test_final_status_ends_a_job(tmp_path: Path, word: str) -> None:
    run_fast(ends(tmp_path, word))


async def status_contradicts_result(folder: Path) -> None:
    """/status reports a failure, /result a running request: the job ends, and is checked later."""
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        runcomfy.inject_fault("status", respond(200, {"status": "error"}), times=None)
        runcomfy.inject_fault("result", respond(200, {"status": "in_progress"}), times=None)
        bot = await Bot(folder, runcomfy, channel).start()
        began = asyncio.get_running_loop().time()
        job = await bot.in_state(await bot.begin(), JobStatus.FAILED)
        assert asyncio.get_running_loop().time() - began < 60
        assert job.error == "generation-timeout"
        assert job.next_check_at
        runcomfy.clear_faults("result")
        await bot.check_later(1)
        await bot.in_state(job, JobStatus.SUCCEEDED)
        assert channel.images[job.job_id] == 1
        await bot.crash()


def test_failed_status_with_an_unfinished_result_is_checked_later(tmp_path: Path) -> None:
    run_fast(status_contradicts_result(tmp_path))


async def waits(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        runcomfy.inject_fault("status", edit_json(lambda body: body.update(status="dreaming")), times=None)
        bot = await Bot(folder, runcomfy, channel).start()
        first, second = [await bot.begin() for _ in range(2)]
        seen = len(runcomfy.calls) + 20
        await runcomfy.until(lambda: len(runcomfy.calls) > seen, timeout=1800)
        for job in (first, second):
            assert not (await bot.jobs.get(job.job_id)).status.is_final
        runcomfy.clear_faults("status")
        for job in (first, second):
            await bot.in_state(job, JobStatus.SUCCEEDED)
        await bot.crash()
    assert [record.levelno for record in caplog.records if "dreaming" in record.message] == [logging.WARNING]


async def changes(folder: Path) -> None:
    """A status that is different each time is no progress."""
    channel, numbers = Channel(), count()
    async with LocalRunComfy(seconds=0) as runcomfy:
        change = edit_json(lambda body: body.update(status=f"step {next(numbers)}"))
        runcomfy.inject_fault("status", change, times=None)
        bot = Bot(folder, runcomfy, channel)
        bot.deadline = timedelta(seconds=15)
        await bot.start()
        job = await bot.in_state(await bot.begin(), JobStatus.FAILED)
        assert job.error == "generation-timeout"
        assert next(numbers) > 2
        await bot.crash()


def test_unknown_statuses_do_not_postpone_the_deadline(tmp_path: Path) -> None:
    run_fast(changes(tmp_path))


def test_unknown_status_is_ignored_and_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run_fast(waits(tmp_path, caplog))
