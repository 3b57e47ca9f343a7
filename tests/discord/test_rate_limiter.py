"""Requests stay below Discord's limits, against the local Discord and in virtual time."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from typing import TYPE_CHECKING

import aiohttp
import discord
import pytest

from bot.clock import Clock
from bot.discord.delivery import DiscordDelivery
from bot.discord.rate_limiter import DiscordRateLimiter
from bot.jobs.ports import Progress
from bot.observability.metrics import Metrics
from bot.storage.sqlite import open_database
from playground.discord import LocalDiscord
from tests.bots import make_bot
from tests.clocks import run_in_virtual_time
from tests.factories import make_job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

API = "https://discord.com/api/v10"


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord(tmp_path) as opened:
        yield opened


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def limiter(metrics: Metrics) -> DiscordRateLimiter:
    return DiscordRateLimiter(metrics, Clock())


@pytest.fixture
async def session(local: LocalDiscord, limiter: DiscordRateLimiter) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session like discord.py's."""
    async with aiohttp.ClientSession(
        connector=local.connector(), trace_configs=[limiter.trace_config()]
    ) as opened:
        yield opened


def counted(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """Return a counter's values by its labels."""
    (family,) = getattr(metrics, name).collect()
    return {
        tuple(sample.labels.values()): sample.value
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def most_within(seconds: float, moments: list[float]) -> int:
    return max(sum(begun <= each < begun + seconds for each in moments) for begun in moments)


async def test_client_makes_at_most_fifty_requests_per_second(
    local: LocalDiscord, limiter: DiscordRateLimiter
) -> None:
    client = discord.Client(
        intents=discord.Intents.none(), connector=local.connector(), http_trace=limiter.trace_config()
    )
    async with client:
        await client.login(local.token)
        begun = time.monotonic()
        await asyncio.gather(*(client.fetch_user(int(local.members["alice"].id)) for _ in range(120)))
    assert sum(call.route == "user" for call in local.trace) == 120
    assert time.monotonic() - begun > 2.5


def test_fewer_than_fifty_requests_begin_in_any_second(limiter: DiscordRateLimiter) -> None:
    async def main() -> list[float]:
        moments = []
        for pause in [0.0] * 200 + [0.7] + [0.0] * 200 + [0.02] * 100 + [5.0] + [0.0] * 100:
            await asyncio.sleep(pause)
            await limiter.acquire()
            moments.append(asyncio.get_running_loop().time())
        return moments

    moments = run_in_virtual_time(main())
    assert most_within(1, moments) < 50
    assert moments[199] - moments[0] < 5.1


@pytest.mark.parametrize("processes", [2, 10])
def test_processes_with_one_token_share_the_limit(limiter: DiscordRateLimiter, processes: int) -> None:
    async def main() -> list[float]:
        moments = []
        limiter.share(processes, 0)
        for _ in range(60):
            await limiter.acquire()
            moments.append(asyncio.get_running_loop().time())
        return moments

    moments = run_in_virtual_time(main())
    assert most_within(1, moments) < 50 / processes + 1
    assert moments[-1] - moments[0] < 60 / (40 / processes) + 0.1


def test_cancelled_waiters_do_not_disturb_the_others(
    limiter: DiscordRateLimiter,
) -> None:
    async def main() -> list[float]:
        moments = []

        async def request() -> None:
            await limiter.acquire()
            moments.append(asyncio.get_running_loop().time())

        requests = [asyncio.create_task(request()) for _ in range(300)]
        await asyncio.sleep(1)
        for each in requests[100:200]:
            each.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        return moments

    moments = run_in_virtual_time(main())
    assert len(moments) == 200
    assert most_within(1, moments) < 50
    assert moments[-1] - moments[0] < 5.1


async def test_interactions_do_not_wait_for_the_bots_own_requests(
    local: LocalDiscord, session: aiohttp.ClientSession
) -> None:
    async def ask(method: str, path: str) -> int:
        async with session.request(method, f"{API}/{path}") as response:
            return response.status

    own = [asyncio.ensure_future(ask("GET", "users/@me")) for _ in range(400)]  # for ten seconds
    await local.until(lambda: local.trace)
    assert await ask("POST", "interactions/1/token/callback") == 404
    assert await ask("PATCH", "webhooks/1/token/messages/2") == 404
    assert not all(each.done() for each in own)
    for each in own:
        each.cancel()
    await asyncio.gather(*own, return_exceptions=True)


async def test_responses_and_limits_are_counted_except_shared_ones(
    local: LocalDiscord, session: aiohttp.ClientSession, limiter: DiscordRateLimiter, metrics: Metrics
) -> None:
    headers = {"Authorization": f"Bot {local.token}"}
    scopes = {"user": {"X-RateLimit-Scope": "user"}, "shared": {"X-RateLimit-Scope": "shared"}, "edge": {}}
    for more in scopes.values():
        local.inject_fault("user", 429, {"message": "slow", "retry_after": 1}, headers=more)
        await session.get(f"{API}/users/1", headers=headers)
    await session.get(f"{API}/users/@me", headers=headers)
    for status in (400, 401, 403, 404, 500):
        local.inject_fault("me", status, {})
        await session.get(f"{API}/users/@me", headers=headers)
    await session.get("https://discord.com/cdn/file", headers=headers)
    assert counted(metrics, "discord_rate_limits") == {
        ("user",): 1,
        ("global",): 0,
        ("shared",): 1,
        ("edge",): 1,
    }
    once = ("200", "400", "401", "403", "404", "500")
    assert counted(metrics, "requests") == {
        ("discord", "users", "429"): 3,
        **{("discord", "users", code): 1 for code in once},
    }
    assert limiter.invalid_count == 4


@pytest.mark.parametrize("response_seconds", [0.05, 3.0])
def test_invalid_requests_stay_below_ten_thousand_in_ten_minutes(
    limiter: DiscordRateLimiter, response_seconds: float
) -> None:
    """For an hour the bot makes as many requests as possible, and each is found invalid later."""

    async def main() -> list[float]:
        loop, moments = asyncio.get_running_loop(), list[float]()
        until = loop.time() + 3600
        while loop.time() < until:
            await limiter.acquire()
            moments.append(loop.time())
            loop.call_later(response_seconds, limiter.record_invalid)
        return moments

    moments = run_in_virtual_time(main())
    most = max(number - bisect_right(moments, at - 600) + 1 for number, at in enumerate(moments))
    assert 5000 < most < 9500


@pytest.mark.parametrize("processes", [2, 5])
def test_invalid_requests_of_several_processes_stay_below_ten_thousand(
    metrics: Metrics, processes: int
) -> None:
    """Each makes as many requests as possible, all invalid, and hears of those of the others every second."""

    async def main() -> list[float]:
        loop, moments = asyncio.get_running_loop(), list[float]()
        limiters = [DiscordRateLimiter(metrics, Clock()) for _ in range(processes)]

        async def request(limiter: DiscordRateLimiter) -> None:
            while True:
                await limiter.acquire()
                moments.append(loop.time())
                loop.call_later(3, limiter.record_invalid)

        tasks = [asyncio.create_task(request(limiter)) for limiter in limiters]
        for _ in range(1800):
            counts = [limiter.invalid_count for limiter in limiters]
            for limiter, own in zip(limiters, counts, strict=True):
                limiter.share(processes, sum(counts) - own)
            await asyncio.sleep(1)
        assert all(limiter.is_near_ban for limiter in limiters)
        for task in tasks:
            task.cancel()
        return moments

    moments = run_in_virtual_time(main())
    most = max(number - bisect_right(moments, at - 600) + 1 for number, at in enumerate(moments))
    assert 5000 < most < 9500


async def test_invalid_requests_of_other_processes_count(
    limiter: DiscordRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(400):
        limiter.record_invalid()
    limiter.share(2, 600)
    assert not limiter.is_near_ban
    for _ in range(3):
        limiter.share(2, 601)
    assert limiter.is_near_ban
    assert len(caplog.records) == 1  # not once a second
    limiter.share(1, 0)
    assert not limiter.is_near_ban
    assert limiter.invalid_count == 400


async def test_requests_slow_down_after_a_thousand_invalid_ones(
    local: LocalDiscord, session: aiohttp.ClientSession, limiter: DiscordRateLimiter
) -> None:
    for _ in range(1000):
        limiter.record_invalid()
    assert not limiter.is_near_ban
    async with session.get(f"{API}/users/@me") as response:
        assert response.status == 401
    assert limiter.is_near_ban
    begun = time.monotonic()
    await asyncio.gather(*(session.patch(f"{API}/webhooks/1/token/messages/{n}") for n in range(20)))
    assert time.monotonic() - begun > 18 * 600 / 8000
    moments = sorted(call.at for call in local.trace if call.method == "PATCH")
    assert len(moments) == 20
    assert moments[-1] - moments[0] > 1


async def test_progress_is_not_shown_after_a_thousand_invalid_requests(tmp_path: Path) -> None:
    async with open_database(tmp_path / "bot.db") as database:
        bot = make_bot(database)
        async with bot:
            delivery, job = DiscordDelivery(bot), make_job()
            delivery.show_progress(job, Progress())
            assert delivery._messages.pop(job.job_id).editor._pending is not None
            for _ in range(1001):
                bot.rate_limiter.record_invalid()
            delivery.show_progress(job, Progress())
            assert delivery._messages == {}
