"""Implausible costs and prices: the owner is warned once, and the others are recorded."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from playground.runcomfy import LocalRunComfy, edit_json
from tests.jobs.bot import MODEL, Bot, Channel, run_fast

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def implausible_costs(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        runcomfy.inject_fault("cost", edit_json(lambda body: body.update(cost=60)), times=None)
        bot = await Bot(folder, runcomfy, channel).start()
        bot.maintenance.stop()
        await bot.cost_sync.refresh_prices()
        for _ in range(3):
            await bot.deliver()
        await bot.cost_sync.collect_costs()
        (warning,) = channel.warnings
        assert warning.key == "cost-not-learned"
        assert (warning.values["cost"], warning.values["model"]) == ("60.00", MODEL.model_id)
        runcomfy.clear_faults("cost")
        last = await bot.deliver()
        await bot.cost_sync.collect_costs()
        assert (await bot.jobs.get(last.job_id)).cost is not None
        assert len(channel.warnings) == 1
        await bot.crash()


def test_owner_is_warned_once_of_an_implausible_cost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_fast(implausible_costs(tmp_path))
    said = [record.levelno for record in caplog.records if "a cost of $60.00 is recorded" in record.message]
    assert said == [logging.WARNING]


async def implausible_prices(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        runcomfy.inject_fault("model", edit_json(lambda body: body.update(base_price_usd=0)), times=None)
        bot = await Bot(folder, runcomfy, channel).start()
        bot.maintenance.stop()
        for _ in range(2):
            bot.cost_sync._prices_until = float("-inf")
            await bot.cost_sync.refresh_prices()
        assert [warning.key for warning in channel.warnings] == ["price-not-believed"]
        await bot.crash()


def test_owner_is_warned_once_of_an_implausible_price(tmp_path: Path) -> None:
    run_fast(implausible_prices(tmp_path))
