"""Implausible costs and prices: the owner is warned once, and the others are recorded."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from playground.runcomfy import edit_json
from tests.jobs.bot import MODEL, on_fast_clock, running_bot

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


@on_fast_clock
async def test_owner_is_warned_once_of_an_implausible_cost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_bot(tmp_path, maintenance=False) as bot:
        bot.runcomfy.inject_fault("cost", edit_json(lambda body: body.update(cost=60)), times=None)
        await bot.models.refresh()
        for _ in range(3):
            await bot.deliver()
        await bot.cost_sync.collect_costs()
        (warning,) = bot.channel.warnings
        assert warning.key == "cost-unexpected"
        assert (warning.values["cost"], warning.values["model"]) == ("60.00", MODEL.model_id)
        bot.runcomfy.clear_faults("cost")
        last = await bot.deliver()
        await bot.cost_sync.collect_costs()
        assert (await bot.jobs.get(last.job_id)).cost is not None
        assert len(bot.channel.warnings) == 1
    said = [
        record.levelno
        for record in caplog.records
        if "a cost of $60.00, expected at most $0.85" in record.message
    ]
    assert said == [logging.WARNING]
