"""Statuses of RunComfy, documented or not."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import JobStatus
from playground.runcomfy import edit_json, respond
from tests.jobs.bot import on_fast_clock, running_bot

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("word", ["error", "Errored", "TIMED_OUT", "expired", "rejected", "aborted", "done"])
@on_fast_clock
async def test_final_status_ends_a_job(tmp_path: Path, word: str) -> None:
    """Both responses have this status and nothing else."""
    async with running_bot(tmp_path) as bot:
        for route in ("status", "result"):
            bot.runcomfy.inject_fault(route, respond(200, {"status": word}), times=None)
        began = asyncio.get_running_loop().time()
        job = await bot.in_state(await bot.begin(), JobStatus.FAILED)
        assert asyncio.get_running_loop().time() - began < bot.deadline.total_seconds() / 3
        assert (job.error, job.refunded) == ("generation-failed", 1)


@on_fast_clock
async def test_failed_status_with_an_unfinished_result_is_checked_later(tmp_path: Path) -> None:
    """/status reports a failure, /result a running request: the job ends, and is checked later."""
    async with running_bot(tmp_path) as bot:
        bot.runcomfy.inject_fault("status", respond(200, {"status": "error"}), times=None)
        bot.runcomfy.inject_fault("result", respond(200, {"status": "in_progress"}), times=None)
        began = asyncio.get_running_loop().time()
        job = await bot.in_state(await bot.begin(), JobStatus.FAILED)
        assert asyncio.get_running_loop().time() - began < bot.deadline.total_seconds() / 3
        assert job.error == "generation-timeout"
        assert job.next_check_at
        bot.runcomfy.clear_faults("result")
        await bot.check_later(1)
        await bot.in_state(job, JobStatus.SUCCEEDED)
        assert bot.channel.images[job.job_id] == 1


@on_fast_clock
async def test_unknown_statuses_do_not_postpone_the_deadline(tmp_path: Path) -> None:
    """A status that is different each time is no progress."""
    numbers = count()
    async with running_bot(tmp_path, deadline=timedelta(seconds=15)) as bot:
        change = edit_json(lambda body: body.update(status=f"step {next(numbers)}"))
        bot.runcomfy.inject_fault("status", change, times=None)
        job = await bot.in_state(await bot.begin(), JobStatus.FAILED)
        assert job.error == "generation-timeout"
        assert next(numbers) > 2


@on_fast_clock
async def test_unknown_status_is_ignored_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_bot(tmp_path) as bot:
        dream = edit_json(lambda body: body.update(status="dreaming"))
        bot.runcomfy.inject_fault("status", dream, times=None)
        first, second = [await bot.begin() for _ in range(2)]
        seen = len(bot.runcomfy.calls) + 20
        await bot.runcomfy.until(lambda: len(bot.runcomfy.calls) > seen, timeout=1800)
        for job in (first, second):
            assert not (await bot.jobs.get(job.job_id)).status.is_final
        bot.runcomfy.clear_faults("status")
        for job in (first, second):
            await bot.in_state(job, JobStatus.SUCCEEDED)
    assert [record.levelno for record in caplog.records if "dreaming" in record.message] == [logging.WARNING]
