"""Collecting missing images without success: these are refunded, delivered ones stay charged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.domain.job import JobStatus
from bot.errors import PolicyError
from playground.runcomfy import Fault, respond
from tests.factories import make_requester
from tests.jobs.bot import on_fast_clock, running_bot

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("route", "fault"),
    [("file", respond(404)), ("status", respond(404, {"error_code": 404001}))],
    ids=["files are gone", "the request has expired"],
)
@on_fast_clock
async def test_delivered_images_stay_charged(tmp_path: Path, route: str, fault: Fault) -> None:
    async with running_bot(tmp_path) as bot:
        bot.runcomfy.inject_fault("file", respond(404))
        job = await bot.begin(num_images=2)
        came = await bot.in_state(job, JobStatus.SUCCEEDED)
        assert (came.refunded, bot.channel.images[job.job_id]) == (0, 1)
        bot.runcomfy.inject_fault(route, fault, times=None)
        await bot.refetch(job)
        ended = await bot.in_state(job, JobStatus.FAILED)
        assert (ended.refunded, ended.budget_refunded) == (1, 0)
        assert not ended.is_fetchable
        with pytest.raises(PolicyError, match="collecting-over"):
            await bot.service.refetch(make_requester(), job.job_id)


@on_fast_clock
async def test_stored_files_are_delivered_after_runcomfy_expired_the_rest(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        bot.runcomfy.inject_fault("file", respond(404))
        bot.channel.refusals = 1
        job = await bot.begin(num_images=2)
        failed = await bot.in_state(job, JobStatus.FAILED)
        assert (failed.error, failed.refunded) == ("delivery-failed", 0)
        bot.runcomfy.inject_fault("status", respond(404, {"error_code": 404001}), times=None)
        await bot.refetch(job)
        ended = await bot.in_state(job, JobStatus.SUCCEEDED)
        assert (ended.delivered, ended.refunded, ended.budget_refunded) == (1, 1, 0)
        assert bot.channel.images[job.job_id] == 1
        assert not ended.is_fetchable
