"""The one POST, where the bot stops or breaks beside it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import Job, JobStatus
from bot.errors import InvalidOptionError
from playground.runcomfy import LocalRunComfy
from tests.factories import make_requester
from tests.jobs.bot import MODEL, Bot, Channel
from tests.jobs.fast_clock import FastLoop
from tests.jobs.test_late_results import in_state

if TYPE_CHECKING:
    from pathlib import Path


async def ordered(bot: Bot, channel: Channel) -> Job:
    job = await bot.service.reserve(make_requester(), MODEL, {"prompt": "a fox", "resolution": "0.5K"})
    assert job
    bot.service.confirm(job, channel.post(job.token))
    return job


async def stop_while_it_is_claimed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        submitting, begun = bot.jobs.mark_submitting, asyncio.Event()

        async def noticed(job_id: str) -> Job | None:
            begun.set()
            return await submitting(job_id)

        monkeypatch.setattr(bot.jobs, "mark_submitting", noticed)
        job = await ordered(bot, channel)
        await begun.wait()
        await bot._runner.close()
        await bot.crash()
        bot = await Bot(folder, runcomfy, channel).start()
        assert (await in_state(bot, job, JobStatus.SUCCEEDED)).refunded == 0
        assert len(runcomfy.submits) == 1
        await bot.crash()


def test_a_stop_while_an_order_is_claimed_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(stop_while_it_is_claimed(tmp_path, monkeypatch))


async def break_over_the_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Channel()

    def broken(_: object) -> str:
        raise KeyError

    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        monkeypatch.setattr("bot.runcomfy.client.parse_request_id", broken)
        ended = await in_state(bot, await ordered(bot, channel), JobStatus.FAILED)
        assert len(runcomfy.requests) == 1
        assert (ended.error, ended.refunded, ended.budget_refunded) == ("unexpected", 1, 0)
        await bot.crash()


def test_an_order_over_whose_answer_the_bot_breaks_stays_in_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(break_over_the_answer(tmp_path, monkeypatch))


async def order_what_no_one_sees(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        old = await in_state(bot, await ordered(bot, channel), JobStatus.SUCCEEDED)
        emptied = 'update jobs set input = \'{"prompt": "\u200b"}\''
        await bot.jobs._database.transaction(lambda connection: connection.execute(emptied))
        asker = make_requester(channel_id=old.channel_id)
        with pytest.raises(InvalidOptionError):
            await bot.service.reroll(asker, old.job_id)
        with pytest.raises(InvalidOptionError):
            await bot.service.reserve(asker, MODEL, {"prompt": "\u3164\ufe0f"})
        assert len(runcomfy.submits) == 1
        await bot.crash()


def test_a_prompt_that_no_one_can_see_is_never_ordered(tmp_path: Path) -> None:
    """Neither as a new order nor as a Re-roll of one that an older version took."""
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(order_what_no_one_sees(tmp_path))
