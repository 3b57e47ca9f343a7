"""Polling in virtual time: how late a finished image is found, how many polls that takes, and who waits.

`pytest -s` prints the numbers.
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, TypeAlias

import pytest

from bot.config import Config
from bot.jobs.poll_interval import PollInterval, PollRateLimiter
from bot.runcomfy.responses import Completed, InProgress, InQueue
from bot.storage.durations import DurationStore
from bot.storage.sqlite import open_database
from tests.clocks import run_in_virtual_time
from tests.factories import make_job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from bot.runcomfy.responses import Status

Draw: TypeAlias = "Callable[[random.Random], float]"

JOBS, SEEDS = 1000, range(1, 4)
PLAIN_SECONDS = 2.0
DEFAULT_LIMIT: int = Config.model_fields["max_polls_per_second"].default


@dataclass(frozen=True)
class Course:
    """The course of a request: it waits at each queue position, then runs."""

    runs: float
    places: tuple[float, ...] = ()

    @property
    def ends_at(self) -> float:
        return sum(self.places) + self.runs

    def status(self, at: float) -> Status:
        for place, seconds in enumerate(self.places):
            at -= seconds
            if at < 0:
                return InQueue(len(self.places) - place)
        return InProgress() if at < self.runs else Completed()


@pytest.fixture
async def durations(tmp_path: Path) -> AsyncIterator[DurationStore]:
    async with open_database(tmp_path / "bot.db") as database:
        yield DurationStore(database)


def follow(durations: DurationStore, course: Course) -> tuple[float, int]:
    """Poll a job as the bot does; return the delay after its end and the number of polls."""
    interval, now, polls = PollInterval(durations, make_job(), is_new=True, now=0.0), 0.0, 0
    pause = interval.first
    while True:
        now, polls = now + pause, polls + 1
        status = course.status(now)
        if isinstance(status, Completed):
            interval.record_duration(now)
            return now - course.ends_at, polls
        interval.observe(status, now)
        pause = interval.next(now)


def steady(rng: random.Random) -> float:
    return rng.gauss(14, 1)


def two_humped(rng: random.Random) -> float:
    return rng.gauss(8, 0.7) if rng.random() < 0.6 else rng.gauss(20, 1.2)


def lognormal(rng: random.Random) -> float:
    return rng.lognormvariate(2, 0.5)  # around 7.4 seconds


def long_tailed(rng: random.Random) -> float:
    return rng.lognormvariate(2, 0.8)


def exponential(rng: random.Random) -> float:
    return rng.expovariate(1 / 12)


def shorter_exponential(rng: random.Random) -> float:
    return rng.expovariate(1 / 7.4)


def half_a_second(rng: random.Random) -> float:
    return max(0.1, rng.gauss(0.5, 0.05))


def a_minute_or_two(rng: random.Random) -> float:
    return rng.uniform(60, 120)


DISTRIBUTIONS = [
    *(steady, two_humped, lognormal, long_tailed),
    *(exponential, shorter_exponential, half_a_second, a_minute_or_two),
]


class TestAgainstAPollEveryTwoSeconds:
    """Half the delay with at most three times the requests, whatever the distribution of durations."""

    @staticmethod
    def compare(durations: DurationStore, draw: Draw, queue: float) -> None:
        delays: list[float] = []
        polls: list[int] = []
        ends: list[float] = []
        for seed in SEEDS:
            rng = random.Random(seed)
            for _ in range(JOBS):
                places = (rng.uniform(0, queue),) if queue else ()
                course = Course(max(0.1, draw(rng)), places)
                delay, count = follow(durations, course)
                delays.append(delay)
                polls.append(count)
                ends.append(course.ends_at)
        plain = [math.ceil(end / PLAIN_SECONDS) for end in ends]
        plain_delay = fmean(count * PLAIN_SECONDS - end for count, end in zip(plain, ends, strict=True))
        sys.stdout.write(
            f"{draw.__name__:>20} {queue}: {fmean(delays):.2f} s with {fmean(polls):.1f} polls,"
            f" every 2 s {plain_delay:.2f} s with {fmean(plain):.1f}\n"
        )
        assert fmean(delays) <= plain_delay / 2
        assert fmean(polls) <= 3 * fmean(plain)

    @pytest.mark.parametrize("draw", DISTRIBUTIONS)
    async def test_without_a_queue(self, durations: DurationStore, draw: Draw) -> None:
        self.compare(durations, draw, 0)

    @pytest.mark.parametrize("draw", DISTRIBUTIONS)
    async def test_with_up_to_a_second_and_a_half_in_the_queue(
        self, durations: DurationStore, draw: Draw
    ) -> None:
        self.compare(durations, draw, 1.5)


class TestInterval:
    async def test_job_without_history_is_polled_at_once_and_then_often(
        self, durations: DurationStore
    ) -> None:
        interval = PollInterval(durations, make_job(), is_new=True, now=0)
        assert (interval.first, interval.typical_seconds) == (0, None)
        interval.observe(InProgress(), 0)
        assert [interval.next(at) for at in (0, 0.5, 10, 80)] == [0.4, 0.5, 0.7, 0.7]

    async def test_queue_position_is_never_older_than_two_seconds(self, durations: DurationStore) -> None:
        interval = PollInterval(durations, make_job(), is_new=True, now=0)
        interval.observe(InQueue(7), 5)
        assert interval.next(5) == 1
        for _ in range(10):
            follow(durations, Course(30))
        interval = PollInterval(durations, make_job(), is_new=True, now=0)
        interval.observe(InQueue(7), 5)
        assert interval.first == interval.next(5) == 2

    async def test_job_with_history_is_polled_rarely_before_it_can_be_finished(
        self, durations: DurationStore
    ) -> None:
        for _ in range(20):
            follow(durations, Course(10))
        interval = PollInterval(durations, make_job(), is_new=True, now=0)
        interval.observe(InProgress(), 2)
        assert [interval.next(at) for at in (2, 5, 10.5, 20)] == [2, 2, 0.7, 0.7]

    @pytest.mark.parametrize("status", [InQueue(3), InProgress()])
    async def test_unchanged_job_is_polled_less_and_less_often(
        self, durations: DurationStore, status: Status
    ) -> None:
        interval = PollInterval(durations, make_job(), is_new=True, now=0)
        interval.observe(status, 0)
        assert [interval.next(at) for at in (240, 600, 1800, 86_400)] == [2, 5, 15, 15]

    async def test_after_a_restart_a_job_is_polled_at_once_and_not_recorded(
        self, durations: DurationStore
    ) -> None:
        for _ in range(20):
            follow(durations, Course(10))
        interval = PollInterval(durations, make_job(), is_new=False, now=0)
        assert interval.first == 0
        interval.observe(InProgress(), 0)
        assert interval.next(0) == 0.7  # its running time is unknown
        before = durations.quantile(interval._kind, 0)
        interval.record_duration(0.7)
        assert durations.quantile(interval._kind, 0) == before

    async def test_other_models_and_sizes_have_no_history(self, durations: DurationStore) -> None:
        for _ in range(20):
            follow(durations, Course(10))
        for other in (
            make_job(image_count=2),
            make_job(input={"resolution": "4K"}),
            make_job(model_id="other/model"),
        ):
            assert PollInterval(durations, other, is_new=True, now=0).typical_seconds is None


class TestLearning:
    async def test_typical_duration_is_the_median_without_the_queue(self, durations: DurationStore) -> None:
        rng = random.Random(1)
        for _ in range(200):
            places = tuple(rng.uniform(2, 8) for _ in range(rng.randrange(5)))
            follow(durations, Course(rng.gauss(10, 1), places))
        usual = PollInterval(durations, make_job(), is_new=True, now=0).typical_seconds
        assert usual == pytest.approx(10, abs=0.5)

    async def test_typical_duration_follows_changes(self, durations: DurationStore) -> None:
        """Although no poll ever finds a job finished before jobs are first polled."""
        for seconds in (40, 5, 25):
            for _ in range(200):
                follow(durations, Course(seconds))
            assert follow(durations, Course(seconds))[0] <= 0.7
            usual = PollInterval(durations, make_job(), is_new=True, now=0).typical_seconds
            assert usual == pytest.approx(seconds, abs=0.5)

    async def test_late_poll_is_not_recorded(self, durations: DurationStore) -> None:
        for _ in range(20):
            follow(durations, Course(10))
        usual = PollInterval(durations, make_job(), is_new=True, now=0).typical_seconds
        for _ in range(200):
            interval = PollInterval(durations, make_job(), is_new=True, now=0)
            interval.observe(InProgress(), 1)
            interval.record_duration(300)
        assert PollInterval(durations, make_job(), is_new=True, now=0).typical_seconds == usual


class Polls:
    """Records the times of polls of several members through one limiter."""

    def __init__(self, per_second: int) -> None:
        self.limiter = PollRateLimiter(per_second)
        self.moments: list[float] = []
        self.waited: dict[int, list[float]] = {}

    async def poll(self, member: int) -> float:
        loop = asyncio.get_running_loop()
        due_at = loop.time()
        await self.limiter.acquire(member)
        self.moments.append(loop.time())
        self.waited.setdefault(member, []).append(loop.time() - due_at)
        return loop.time()

    async def keep_polling(self, member: int, pause: float, until: float) -> None:
        while asyncio.get_running_loop().time() < until:
            await self.poll(member)
            await asyncio.sleep(pause)

    def in_any_second(self) -> int:
        """Return the largest number of polls in any second."""
        return max(
            sum(begin <= moment < begin + 0.999 for moment in self.moments[number : number + 2000])
            for number, begin in enumerate(self.moments)
        )


def in_virtual_time(main: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await main()

    run_in_virtual_time(run())


class TestLimit:
    def test_no_second_exceeds_the_limit_or_wastes_polls(self) -> None:
        async def main() -> None:
            polls, rng = Polls(20), random.Random(3)

            async def one() -> None:
                await asyncio.sleep(rng.uniform(0, 10))
                await polls.poll(rng.randrange(5))

            await asyncio.gather(*(one() for _ in range(400)))
            assert polls.in_any_second() <= 20
            assert polls.moments[-1] - polls.moments[0] < 22

        in_virtual_time(main)

    def test_processes_share_the_limit(self) -> None:
        async def main() -> None:
            polls = Polls(20)
            polls.limiter.share(3)
            await asyncio.gather(*(polls.poll(1) for _ in range(60)))
            assert polls.in_any_second() == 6

        in_virtual_time(main)

    def test_burst_up_to_the_limit_does_not_wait(self) -> None:
        async def main() -> None:
            polls = Polls(20)
            await asyncio.gather(*(polls.poll(1) for _ in range(20)))
            assert polls.waited[1] == [0] * 20

        in_virtual_time(main)

    def test_five_thousand_jobs_share_the_polls_and_none_starves(self) -> None:
        async def main() -> None:
            polls, loop = Polls(200), asyncio.get_running_loop()
            until = loop.time() + 130
            waits: list[float] = []

            async def job(number: int) -> None:
                moments: list[float] = []
                while loop.time() < until:
                    moments.append(await polls.poll(number % 50))
                    await asyncio.sleep(0.7)
                waits.extend(later - earlier for earlier, later in pairwise(moments))

            await asyncio.gather(*(job(number) for number in range(5000)))
            assert max(waits) <= 1.1 * 5000 / 200
            assert len(polls.moments) >= 200 * 130 * 0.9

        in_virtual_time(main)

    def test_ninety_jobs_of_one_member_do_not_delay_another_member(self) -> None:
        async def main() -> None:
            polls = Polls(20)
            until = asyncio.get_running_loop().time() + 60
            crowd = (polls.keep_polling(1, 0.7, until) for _ in range(90))
            await asyncio.gather(*crowd, polls.keep_polling(2, 0.7, until))
            assert fmean(polls.waited[1]) > 3  # 90 jobs share 20 polls a second
            assert fmean(polls.waited[2]) < 0.5
            assert max(polls.waited[2]) <= 1.1

        in_virtual_time(main)

    def test_cancelled_job_takes_no_poll_from_others(self) -> None:
        async def main() -> None:
            polls = Polls(1)
            await polls.poll(1)
            waiting = [asyncio.create_task(polls.poll(1)) for _ in range(5)]
            await asyncio.sleep(0)
            for task in waiting[:-1]:
                task.cancel()
            await waiting[-1]
            assert polls.waited[1][-1] <= 1.1

        in_virtual_time(main)

    def test_default_limit_finds_a_hundred_short_jobs_in_time(self) -> None:
        """Twice the time without any limit, which is 0.7 s."""

        async def main() -> None:
            polls, loop = Polls(DEFAULT_LIMIT), asyncio.get_running_loop()
            begun_at = loop.time()

            async def job() -> None:
                for pause in (0.0, 0.4, 0.4):  # without history
                    await asyncio.sleep(pause)
                    await polls.poll(1)

            await asyncio.gather(*(job() for _ in range(100)))
            assert loop.time() - begun_at <= 0.9

        in_virtual_time(main)


class TestTooManyRequests:
    def test_a_429_halves_the_rate_of_all_and_it_recovers(self) -> None:
        async def main() -> None:
            polls, loop = Polls(100), asyncio.get_running_loop()
            begun_at = loop.time()
            jobs = [polls.keep_polling(member, 0.1, begun_at + 90) for member in range(20)]

            async def refuse() -> None:
                await asyncio.sleep(5)
                for _ in range(50):  # all polls in flight
                    polls.limiter.slow_down(None)

            await asyncio.gather(refuse(), *jobs)

            def polls_in(second: int) -> int:
                return sum(second <= moment - begun_at < second + 1 for moment in polls.moments)

            assert polls_in(3) == pytest.approx(100, abs=5)
            assert polls_in(7) == pytest.approx(50, abs=8)
            assert polls_in(20) == pytest.approx(75, abs=8)
            assert polls_in(80) == pytest.approx(100, abs=5)

        in_virtual_time(main)

    def test_retry_after_stops_the_polls_of_all_jobs(self) -> None:
        async def main() -> None:
            polls = Polls(100)
            await polls.poll(1)
            begun_at = asyncio.get_running_loop().time()
            polls.limiter.slow_down(30.0)
            polls.limiter.slow_down(5.0)  # a shorter one does not shorten it
            moments = await asyncio.gather(*(polls.poll(member) for member in range(5)))
            assert all(30 <= moment - begun_at < 36 for moment in moments)

        in_virtual_time(main)

    def test_repeated_429s_never_slow_polls_below_one_a_second(self) -> None:
        async def main() -> None:
            polls = Polls(100)
            for _ in range(20):
                await polls.poll(1)
                polls.limiter.slow_down(None)
            assert all(later - earlier < 1.2 for earlier, later in pairwise(polls.moments))

        in_virtual_time(main)
