"""`/healthz` and `/metrics`, on a port of their own."""

from __future__ import annotations

import json
import os
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING

from bot.errors import BusyError, ConfigError
from bot.observability.health import Health
from bot.observability.metrics import CONTENT_TYPE, Metrics
from bot.observability.server import Answer, Server
from bot.storage.health import HealthStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.discord.client import ImagineBot
    from bot.discord.clock import DiscordClock
    from bot.jobs.runner import JobRunner
    from bot.runcomfy import RunComfyClient
    from bot.storage.costs import CostStore
    from bot.storage.database import Database


class _Pages:
    def __init__(
        self, health: Health, metrics: Metrics, store: HealthStore, costs: CostStore, clock: DiscordClock
    ) -> None:
        self._health = health
        self._metrics = metrics
        self._store = store
        self._costs = costs
        self._clock = clock

    async def healthz(self) -> Answer:
        parts = await self._health.check()
        words = {part.status for part in parts.values()}
        worst = next((word for word in ("red", "degraded") if word in words), "ok")
        body = {"status": worst, **{name: asdict(part) for name, part in parts.items()}}
        status = HTTPStatus.SERVICE_UNAVAILABLE if worst == "red" else HTTPStatus.OK
        return Answer(json.dumps(body).encode(), "application/json", status)

    async def metrics(self) -> Answer:
        self._metrics.set_health(await self._health.check())
        try:
            live, spent = await self._store.live_counts(), await self._costs.spent_this_month()
        except BusyError:
            return Answer(b"the database cannot be read", status=HTTPStatus.SERVICE_UNAVAILABLE)
        self._metrics.set_gauges(live, spent, self._costs.budget_usd, now=self._clock.now())
        return Answer(self._metrics.text(), CONTENT_TYPE)


class HealthServer:
    """Whoever asks on this address learns how the bot is. `meter` is to be told what there is to count."""

    def __init__(self, host: str, port: int) -> None:
        self.meter = Metrics()
        self._host = host
        self._port = port

    @asynccontextmanager
    async def serve(
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
        pages = _Pages(Health(bot, runner, runcomfy, store), self.meter, store, costs, bot.clock)
        server = Server({"/healthz": pages.healthz, "/metrics": pages.metrics})
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(server.listening(self._host, self._port))
            except OSError as error:
                reason = os.strerror(error.errno or 0)
                raise ConfigError([f"HEALTH_PORT cannot be listened on: {reason}"]) from error
            yield
