"""Whether gateway, database, runner, files folder and RunComfy are well, and what is wrong if not."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from bot.errors import BusyError

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot
    from bot.jobs.runner import JobRunner
    from bot.runcomfy import RunComfyClient
    from bot.storage.health import HealthStore

_MAY_BE_AWAY_SECONDS = 60.0
_MAY_READ_SECONDS = 5.0
_IS_TAKEN = timedelta(seconds=30)  # a job is carried as soon as its first response has come
_IS_FOUND = timedelta(minutes=17)  # and one that was lost is looked for while its token lives: 15 minutes
_IS_FRESH_SECONDS = 1.0


@dataclass(frozen=True)
class ComponentHealth:
    """How a part of the bot is: red where somebody has to do something, degraded where it mends itself."""

    status: Literal["ok", "degraded", "red"] = "ok"
    why: str = ""


class Health:
    """Looks at what is there; a look within a second of another is the same one."""

    def __init__(
        self, bot: ImagineBot, runner: JobRunner, runcomfy: RunComfyClient, store: HealthStore
    ) -> None:
        self._bot = bot
        self._runner = runner
        self._runcomfy = runcomfy
        self._store = store
        self._away_since: float | None = time.monotonic()
        self._left_alone: set[str] = set()
        self._looking = asyncio.Lock()
        self._seen: dict[str, ComponentHealth] = {}
        self._seen_at = float("-inf")
        for event in ("connect", "resumed"):
            bot.add_listener(self._on_connect, f"on_{event}")
        bot.add_listener(self._on_disconnect, "on_disconnect")

    async def _on_connect(self) -> None:
        self._away_since = None

    async def _on_disconnect(self) -> None:
        if self._away_since is None:  # each try to come back fails with the same event
            self._away_since = time.monotonic()

    async def check(self) -> dict[str, ComponentHealth]:
        """Each part by its name."""
        async with self._looking:
            if time.monotonic() - self._seen_at > _IS_FRESH_SECONDS:
                database = await self._check_database()
                self._seen = {
                    "gateway": self._check_gateway(),
                    "database": database,
                    "runner": await self._check_runner(),
                    "files": self._check_files(),
                    "runcomfy": self._check_runcomfy(),
                }
                self._seen_at = time.monotonic()
            return self._seen

    def _check_gateway(self) -> ComponentHealth:
        if self._bot.is_stopping:
            return ComponentHealth("degraded", "the bot is stopping")
        if self._away_since is None:
            return ComponentHealth()
        away = time.monotonic() - self._away_since
        why = f"not connected to Discord for {away:.0f} seconds"
        return ComponentHealth("red" if away > _MAY_BE_AWAY_SECONDS else "degraded", why)

    async def _check_database(self) -> ComponentHealth:
        try:
            async with asyncio.timeout(_MAY_READ_SECONDS):
                await self._store.check_writable()
        except (BusyError, TimeoutError, sqlite3.Error):
            return ComponentHealth("red", "it cannot be written: python -m bot check tells why")
        return ComponentHealth()

    async def _check_runner(self) -> ComponentHealth:
        if self._bot.is_stopping:
            return ComponentHealth("degraded", "the bot is stopping")
        if not self._runner.maintenance.is_started:
            return ComponentHealth("degraded", "the bot is starting")
        if self._runner.maintenance.is_stuck:
            return ComponentHealth(
                "red", "what is to be done once a minute is not done any more: restart the bot"
            )
        why = self._runner.tracker.overdue() or await self._orphaned_jobs()
        return ComponentHealth("red", why) if why else ComponentHealth()

    async def _orphaned_jobs(self) -> str | None:
        """Jobs that nobody carries, in two looks one after the other; between two steps one is fine."""
        try:
            async with asyncio.timeout(_MAY_READ_SECONDS):
                now = self._bot.clock.now()
                live = await self._store.live_before(now - _IS_TAKEN, without_message=now - _IS_FOUND)
        except (TimeoutError, sqlite3.Error):
            return "the database cannot be read"
        before, self._left_alone = self._left_alone, live - self._runner.tracker.active_jobs
        lost = before & self._left_alone
        return f"nobody carries job {min(lost)} and {len(lost) - 1} more: restart the bot" if lost else None

    def _check_files(self) -> ComponentHealth:
        problem = self._runner.files.probe.problem
        return (
            ComponentHealth("red", f"images can't be stored, so nothing is ordered: {problem}")
            if problem
            else ComponentHealth()
        )

    def _check_runcomfy(self) -> ComponentHealth:
        if trouble := self._runner.operator_action:
            return ComponentHealth("red", trouble)
        if self._runcomfy.is_down:
            return ComponentHealth("degraded", "it does not answer; orders wait and go on by themselves")
        return ComponentHealth()
