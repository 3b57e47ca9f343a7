"""What the page's panel controls: the bot's process, RunComfy's behavior, the time, and a fresh start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from playground.clock import CLOCK
from playground.runcomfy import respond

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Handler

    from playground.discord import LocalDiscord
    from playground.process import BotProcess, BotProcesses
    from playground.runcomfy import LocalRunComfy
    from playground.runcomfy.switches import Acceptance

_BEHAVIORS = "normal", "slow", "failing", "refusing", "no-pictures", "down"
_SLOW_SECONDS = 60.0
_DAY_SECONDS = 86_400.0
_FAILURE = "The worker ran out of memory."
_CALLS = "submit", "status", "result", "cancel", "cost", "models", "file"


class Controls:
    """The routes under /playground; `is_reset` is set when the page asks for a fresh start."""

    def __init__(
        self,
        discord: LocalDiscord,
        runcomfy: LocalRunComfy,
        bot: BotProcess | BotProcesses,
        settings: dict[str, str],
    ) -> None:
        self.is_reset = asyncio.Event()
        self._discord, self._runcomfy, self._bot, self._settings = discord, runcomfy, bot, settings
        self._normal_seconds = runcomfy.queue.seconds
        self._behavior = "normal"
        self._lock = asyncio.Lock()  # two tabs can press at once

    @property
    def routes(self) -> list[web.RouteDef]:
        """The routes that the page calls."""
        actions = {
            "kill": self._bot.kill,
            "start": self._bot.start,
            "skip-day": self._skip_day,
            "reset": self._reset,
        }

        def handler(act: Callable[[], Awaitable[object]]) -> Handler:
            async def handle(_: web.Request) -> web.Response:
                async with self._lock:
                    await act()
                return self._state()

            return handle

        return [
            web.get("/playground/state", self._get_state),
            web.post("/playground/runcomfy/{behavior}", self._set_behavior),
            *(web.post(f"/playground/{name}", handler(act)) for name, act in actions.items()),
        ]

    def _state(self) -> web.Response:
        days = round(CLOCK.ahead / _DAY_SECONDS)
        return web.json_response({"running": self._bot.is_running, "behavior": self._behavior, "days": days})

    async def _get_state(self, _: web.Request) -> web.Response:
        return self._state()

    async def _set_behavior(self, request: web.Request) -> web.Response:
        behavior = request.match_info["behavior"]
        if behavior not in _BEHAVIORS:
            raise web.HTTPNotFound
        runcomfy, queue = self._runcomfy, self._runcomfy.queue
        for route in _CALLS:
            runcomfy.clear_faults(route)
            if behavior == "down":
                runcomfy.inject_fault(route, respond(503, "<h1>Service Unavailable</h1>"), times=None)
        if behavior == "refusing":
            runcomfy.inject_fault("submit", runcomfy.error_fault("input"), times=None)
        pictures: Acceptance = "refused" if behavior == "no-pictures" else "accepted"
        runcomfy.switches.data_uris = runcomfy.switches.urls = pictures
        queue.failure = _FAILURE if behavior == "failing" else None
        queue.seconds = (_SLOW_SECONDS, _SLOW_SECONDS) if behavior == "slow" else self._normal_seconds
        queue.hold()
        queue.release()  # running requests get the new time too
        self._behavior = behavior
        return self._state()

    async def _skip_day(self) -> None:
        """Move the time 24 hours ahead. The bot is told by a restart, since its clock is its machine's."""
        was_running = self._bot.is_running
        if was_running:
            await self._bot.stop()
        CLOCK.skip(_DAY_SECONDS)
        for interaction in self._discord.interactions.values():
            self._discord.age(interaction, _DAY_SECONDS)
        self._settings["CLOCK_SHIFT_SECONDS"] = str(CLOCK.ahead)
        self._discord.broadcast("TIME", lambda _: {"ahead": CLOCK.ahead * 1000})
        if was_running:
            await self._bot.start()

    async def _reset(self) -> None:
        self.is_reset.set()
