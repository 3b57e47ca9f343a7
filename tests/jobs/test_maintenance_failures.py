"""Maintenance continues when one item always fails."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

from aiohttp import web

from bot.domain.job import JobStatus
from bot.errors import BotError, RunComfyAuthError
from playground.runcomfy import Fault, LocalRunComfy, respond
from tests.clocks import FastLoop
from tests.jobs.bot import MODEL, Bot, Channel
from tests.jobs.test_late_results import in_state, lost
from tests.jobs.test_maintenance import delivered

if TYPE_CHECKING:
    from pathlib import Path

    import aiosqlite
    import pytest


async def some_cost_requests_always_fail(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:

        async def spoil(request: web.Request, good: web.Response | None) -> web.StreamResponse:
            assert good is not None
            is_ill = request.match_info["request_id"] in [*runcomfy.requests][:2]
            return web.Response(status=500) if is_ill else good

        runcomfy.inject_fault("cost", Fault(spoil, is_after=True), times=None)
        bot = await Bot(folder, runcomfy, channel).start()
        bot.maintenance.stop()
        *_, well = [await delivered(bot, channel) for _ in range(3)]
        for _ in range(9):
            with suppress(BotError):
                await bot.cost_sync.collect_costs()
            await asyncio.sleep(10)
        assert (await bot.jobs.get(well.job_id)).cost is not None
        await bot.crash()


def test_cost_requests_that_always_fail_delay_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.costs._COST_CHECK_BATCH", 2)
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(some_cost_requests_always_fail(tmp_path))


async def one_request_is_forbidden(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        bot.maintenance.stop()
        ill, well = [await lost(bot, runcomfy, channel, prompt) for prompt in ("ill", "well")]

        async def spoil(request: web.Request, good: web.Response | None) -> web.StreamResponse:
            assert good is not None
            return good if request.match_info["request_id"] != ill.request_id else web.Response(status=403)

        runcomfy.inject_fault("status", Fault(spoil, is_after=True), times=None)
        for hours in (1, 0):
            with suppress(RunComfyAuthError):
                await bot.check_later(hours)
        await in_state(bot, well, JobStatus.SUCCEEDED)
        await bot.crash()


def test_forbidden_request_delays_no_other(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(one_request_is_forbidden(tmp_path))


async def one_model_is_unknown(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        bot.maintenance.stop()
        runcomfy.inject_fault("model", respond(404, {"error_code": 404001}))
        models = ["google/gone", MODEL.model_id]
        with suppress(BotError):
            await bot.new_cost_sync(models).refresh_prices()

        async def work(connection: aiosqlite.Connection) -> Decimal | None:
            prices = await bot.costs.prices(connection, MODEL.model_id)
            return prices.expected_each(Decimal(1))

        assert await bot.jobs._database.read(work)
        await bot.crash()


def test_unknown_model_does_not_affect_the_price_of_others(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(one_model_is_unknown(tmp_path))
