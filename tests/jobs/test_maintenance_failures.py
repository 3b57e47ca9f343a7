"""Work of the maintenance loop of which one piece fails over and over."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

from aiohttp import web

from bot.domain.job import JobStatus
from bot.errors import BotError, RunComfyAuthError
from bot.maintenance.cost_sync import CostSync
from bot.storage.key_values import KeyValueStore
from playground.runcomfy import Fault, LocalRunComfy, respond
from tests.jobs.bot import MODEL, Bot, Channel
from tests.jobs.fast_clock import FastLoop
from tests.jobs.test_late_results import in_state, lost
from tests.jobs.test_maintenance import delivered

if TYPE_CHECKING:
    from pathlib import Path

    import aiosqlite
    import pytest


async def some_costs_cannot_be_asked(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:

        async def spoil(request: web.Request, good: web.Response | None) -> web.StreamResponse:
            assert good is not None
            is_ill = request.match_info["request_id"] in [*runcomfy.requests][:2]
            return web.Response(status=500) if is_ill else good

        runcomfy.inject_fault("cost", Fault(spoil, is_after=True), times=None)
        bot = await Bot(folder, runcomfy, channel).start()
        bot._maintenance.stop()
        *_, well = [await delivered(bot, channel) for _ in range(3)]
        for _ in range(9):
            with suppress(BotError):
                await bot._maintenance._cost_sync.collect_costs(lambda: None)
            await asyncio.sleep(10)
        assert (await bot.jobs.get(well.job_id)).cost is not None
        await bot.crash()


def test_costs_that_can_never_be_asked_keep_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.costs._COST_CHECK_BATCH", 2)
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(some_costs_cannot_be_asked(tmp_path))


async def one_request_is_anothers(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        bot._maintenance.stop()
        ill, well = [await lost(bot, runcomfy, channel, prompt) for prompt in ("ill", "well")]

        async def spoil(request: web.Request, good: web.Response | None) -> web.StreamResponse:
            assert good is not None
            return good if request.match_info["request_id"] != ill.request_id else web.Response(status=403)

        runcomfy.inject_fault("status", Fault(spoil, is_after=True), times=None)
        for hours in (1, 0):
            with suppress(RunComfyAuthError):
                await bot.look_later(hours)
        await in_state(bot, well, JobStatus.SUCCEEDED)
        await bot.crash()


def test_a_request_that_is_refused_holds_up_no_other(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(one_request_is_anothers(tmp_path))


async def one_model_is_gone(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        bot._maintenance.stop()
        costs, client, known = bot._maintenance._cost_sync._costs, bot.service._runcomfy, bot.jobs._database
        runcomfy.inject_fault("model", respond(404, {"error_code": 404001}))
        models = ["google/gone", MODEL.model_id]
        cost_sync = CostSync(costs, KeyValueStore(known), client, channel, model_ids=models, alert_percent=80)
        with suppress(BotError):
            await cost_sync.refresh_prices()

        async def work(connection: aiosqlite.Connection) -> Decimal | None:
            prices = await costs.prices(connection, MODEL.model_id)
            return prices.expected_each(Decimal(1))

        assert await known.read(work)
        await bot.crash()


def test_a_model_without_a_price_keeps_no_other_from_its_own(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(one_model_is_gone(tmp_path))
