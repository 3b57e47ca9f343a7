"""`/healthz` and `/metrics`, on a port of their own."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from aiohttp import web

from bot.errors import ConfigError
from bot.health.checks import Health
from bot.health.metrics import CONTENT_TYPE, Metrics
from bot.storage.health import HealthStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.client import ImagineBot
    from bot.jobs.runner import JobRunner
    from bot.runcomfy import RunComfyClient
    from bot.storage.costs import CostStore
    from bot.storage.database import Database


class _Pages:
    def __init__(self, health: Health, metrics: Metrics, store: HealthStore, costs: CostStore) -> None:
        self._health = health
        self._metrics = metrics
        self._store = store
        self._costs = costs

    async def healthz(self, _: web.Request) -> web.Response:
        parts = await self._health.look()
        words = {part.status for part in parts.values()}
        worst = next((word for word in ("red", "degraded") if word in words), "ok")
        body = {"status": worst, **{name: asdict(part) for name, part in parts.items()}}
        return web.json_response(body, status=503 if worst == "red" else 200)

    async def metrics(self, _: web.Request) -> web.Response:
        self._metrics.well(await self._health.look())
        self._metrics.stands(
            await self._store.live(), await self._costs.spent_this_month(), self._costs.budget_usd
        )
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})


class Watch:
    """Whoever asks on this address learns how the bot is. `meter` is to be told what there is to count."""

    def __init__(self, host: str, port: int) -> None:
        self.meter = Metrics()
        self._host = host
        self._port = port

    @asynccontextmanager
    async def over(
        self,
        bot: ImagineBot,
        runner: JobRunner,
        runcomfy: RunComfyClient,
        database: Database,
        costs: CostStore,
    ) -> AsyncIterator[None]:
        """Answer until the end.

        Raises:
            ConfigError: The address cannot be listened on.
        """
        store = HealthStore(database)
        pages = _Pages(Health(bot, runner, runcomfy, store), self.meter, store, costs)
        app = web.Application()
        app.add_routes([web.get("/healthz", pages.healthz), web.get("/metrics", pages.metrics)])
        serving = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await serving.setup()
        try:
            await self._listen(serving)
            yield
        finally:
            await serving.cleanup()

    async def _listen(self, serving: web.AppRunner) -> None:
        try:
            await web.TCPSite(serving, self._host, self._port).start()
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise ConfigError([f"HEALTH_PORT cannot be listened on: {reason}"]) from error
