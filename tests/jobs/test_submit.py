"""Stops and errors right before and after the POST."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bot.domain.guild_settings import GuildSettings
from bot.domain.job import Job, JobStatus
from bot.errors import InvalidOptionError, PolicyError
from bot.storage.guild_settings import GuildSettingsStore
from playground.runcomfy import LocalRunComfy
from tests.factories import make_requester
from tests.jobs.bot import MODEL, Bot, Channel, on_fast_clock, run_fast, running_bot

if TYPE_CHECKING:
    from pathlib import Path


async def stop_before_the_post(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        submitting, begun = bot.jobs.mark_submitting, asyncio.Event()

        async def noticed(job_id: str) -> Job | None:
            begun.set()
            return await submitting(job_id)

        monkeypatch.setattr(bot.jobs, "mark_submitting", noticed)
        job = await bot.begin()
        await begun.wait()
        await bot.runner.close()
        await bot.crash()
        bot = await Bot(folder, runcomfy, channel).start()
        assert (await bot.in_state(job, JobStatus.SUCCEEDED)).refunded == 0
        assert len(runcomfy.submits) == 1
        await bot.crash()


def test_stop_right_before_the_post_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_fast(stop_before_the_post(tmp_path, monkeypatch))


@pytest.mark.parametrize("error", [KeyError, asyncio.CancelledError])
@on_fast_clock
async def test_submission_whose_response_raises_stays_in_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """A CancelledError that no one asked for is an error like any other, not a stop."""

    def broken(_: object) -> str:
        raise error

    async with running_bot(tmp_path) as bot:
        monkeypatch.setattr("bot.runcomfy.client.parse_request_id", broken)
        ended = await bot.in_state(await bot.begin(), JobStatus.FAILED)
        assert len(bot.runcomfy.requests) == 1
        assert (ended.error, ended.refunded, ended.budget_refunded) == ("unexpected", 1, 0)


@on_fast_clock
async def test_invisible_prompt_is_never_submitted(tmp_path: Path) -> None:
    """Neither as a new job nor as a re-roll of one that an older version accepted."""
    async with running_bot(tmp_path) as bot:
        old = await bot.in_state(await bot.begin(), JobStatus.SUCCEEDED)
        await bot.execute('update jobs set input = \'{"prompt": "\u200b"}\'')
        asker = make_requester(channel_id=old.channel_id)
        with pytest.raises(InvalidOptionError):
            await bot.service.reroll(asker, old.job_id)
        with pytest.raises(InvalidOptionError):
            await bot.service.reserve(asker, MODEL, {"prompt": "\u3164\ufe0f"})
        assert len(bot.runcomfy.submits) == 1


@on_fast_clock
async def test_rule_changed_by_another_process_applies_at_once(tmp_path: Path) -> None:
    """A new job is checked against the settings that were read last, which can be outdated."""
    asker = make_requester()
    async with running_bot(tmp_path) as bot:
        elsewhere = GuildSettingsStore(bot.jobs._database)
        for prompt, words, is_allowed in [
            ("a badger", (), True),
            ("a badger", ("badger",), False),
            ("a fox", ("badger",), True),
            ("a badger", (), True),
        ]:
            forbid = partial(GuildSettings.with_changes, forbidden_words=words)
            await elsewhere.update(asker.guild_id, forbid, by=1)
            with nullcontext() if is_allowed else pytest.raises(PolicyError, match="words-forbidden"):
                assert await bot.service.reserve(make_requester(), MODEL, {"prompt": prompt})
