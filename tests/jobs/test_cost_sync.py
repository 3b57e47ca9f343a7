"""A cost or a price that can't be right: the owner is told once, and the rest goes on."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from playground.runcomfy import LocalRunComfy, edit_json
from tests.jobs.bot import MODEL, Bot, Channel
from tests.jobs.fast_clock import FastLoop
from tests.jobs.test_maintenance import delivered

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def odd_costs(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        runcomfy.inject_fault("cost", edit_json(lambda body: body.update(cost=60)), times=None)
        bot = await Bot(folder, runcomfy, channel).start()
        bot._maintenance.stop()
        await bot._maintenance._cost_sync.refresh_prices()
        for _ in range(3):
            await delivered(bot, channel)
        await bot._maintenance._cost_sync.collect_costs(lambda: None)
        (warning,) = channel.warnings
        assert warning.key == "cost-not-learned"
        assert (warning.values["cost"], warning.values["model"]) == ("60.00", MODEL.model_id)
        runcomfy.clear_faults("cost")
        last = await delivered(bot, channel)
        await bot._maintenance._cost_sync.collect_costs(lambda: None)
        assert (await bot.jobs.get(last.job_id)).cost is not None
        assert len(channel.warnings) == 1
        await bot.crash()


def test_the_owner_is_told_once_of_an_absurd_cost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(odd_costs(tmp_path))
    said = [record.levelno for record in caplog.records if "a cost of $60.00 is booked" in record.message]
    assert said == [logging.WARNING]


async def odd_prices(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        runcomfy.inject_fault("model", edit_json(lambda body: body.update(base_price_usd=0)), times=None)
        bot = await Bot(folder, runcomfy, channel).start()
        bot._maintenance.stop()
        for _ in range(2):
            bot._maintenance._cost_sync._prices_until = 0.0
            await bot._maintenance._cost_sync.refresh_prices()
        assert [warning.key for warning in channel.warnings] == ["price-not-believed"]
        await bot.crash()


def test_the_owner_is_told_once_of_a_price_that_can_not_be_one(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(odd_prices(tmp_path))
