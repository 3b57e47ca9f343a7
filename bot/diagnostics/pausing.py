"""`python -m bot pause` and `resume`: stop and allow all spending, whether or not the bot runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import stamina

from bot import config, log
from bot.domain.job import JobStatus
from bot.errors import BusyError, ConfigError
from bot.storage.database_url import open_beside_bot
from bot.storage.health import HealthStore
from bot.storage.pause import PauseStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.config import Config
    from bot.storage.database import Database

_retry = stamina.AsyncRetryingCaller(attempts=None, timeout=10.0).on(BusyError)


def run(command: Literal["pause", "resume"]) -> list[str]:
    """Pause or resume spending, and return what is so now, as lines; repeating it changes nothing.

    Raises:
        ConfigError: The settings are invalid, or there is no database that can be written.
    """
    log.set_up("CRITICAL")
    return asyncio.run(_run(config.load(), _pause if command == "pause" else _resume))


async def _run(settings: Config, change: Callable[[Database], Awaitable[list[str]]]) -> list[str]:
    async with open_beside_bot(settings.database_url) as database:
        try:
            return await _retry(change, database)
        except BusyError as error:
            raise ConfigError(["the database can't be written, so nothing has changed"]) from error


async def _pause(database: Database) -> list[str]:
    since = await PauseStore(database).pause()
    lines = [
        f"Spending has been paused since {since:%Y-%m-%d %H:%M:%S} UTC.",
        "Allow it again with python -m bot resume.",
        "New requests are refused, and none is sent to RunComfy.",
    ]
    waiting, sent = await _counts(database)
    if waiting:
        lines.append(f"Requests that wait until then: {waiting}. Members can cancel them.")
    if sent:
        lines.append(f"Requests that RunComfy has already, and that are still delivered: {sent}.")
    return lines


async def _resume(database: Database) -> list[str]:
    since = await PauseStore(database).resume()
    if since is None:
        return ["Spending was not paused."]
    waiting, _ = await _counts(database)
    lines = [f"Spending is allowed again. It had been paused since {since:%Y-%m-%d %H:%M:%S} UTC."]
    return lines + ([f"Requests that continue: {waiting}."] if waiting else [])


async def _counts(database: Database) -> tuple[int, int]:
    """Return how many jobs wait, and how many RunComfy has or may be getting right now."""
    counts = {status: number for status, (number, _) in (await HealthStore(database).live_counts()).items()}
    waiting = counts.pop(JobStatus.WAITING, 0)
    return waiting, sum(counts.values())
