from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jobs import fair_queue
from bot.jobs.fair_queue import ConcurrencyLimits, FairQueue
from tests.factories import make_job

if TYPE_CHECKING:
    from bot.domain.job import Job
    from bot.jobs.ports import Progress

_NOTIFY_SECONDS = fair_queue._NOTIFY_SECONDS
PAUSED = -1
EVERYBODY = ConcurrencyLimits(total=1, per_user=1, per_guild=1)


@pytest.fixture(autouse=True)
def _shown_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_queue, "_NOTIFY_SECONDS", 0)


class Queue:
    """A fair queue that records which jobs get a turn and which positions are shown."""

    def __init__(self, most: ConcurrencyLimits = EVERYBODY) -> None:
        self.places: dict[str, int] = {}
        self.fair_queue = FairQueue(most, self._show)
        self.begun: list[Job] = []

    async def come(self, *jobs: Job) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self._take(job)) for job in jobs]
        await settle()
        return tasks

    async def end(self, job: Job) -> None:
        self.fair_queue.release(job.job_id)
        await settle()

    def _show(self, job: Job, progress: Progress) -> None:
        self.places[job.job_id] = PAUSED if progress.is_paused else progress.queue_position or 0

    async def _take(self, job: Job) -> None:
        await self.fair_queue.acquire(job)
        self.begun.append(job)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def job(user_id: int, guild_id: int = 1) -> Job:
    return make_job(user_id=user_id, guild_id=guild_id)


async def test_members_take_turns() -> None:
    queue = Queue()
    first, *pile = [job(1) for _ in range(4)]
    other = job(2)
    await queue.come(first, *pile, other)
    assert queue.begun == [first]
    assert [queue.places[each.job_id] for each in (other, *pile)] == [1, 2, 3, 4]
    for each in (first, other, pile[0], pile[1]):
        await queue.end(each)
    assert queue.begun == [first, other, *pile]


async def test_limits_of_a_member_and_a_server_delay_no_one_else() -> None:
    queue = Queue(ConcurrencyLimits(total=3, per_user=1, per_guild=2))
    mine, mine_too, neighbour, neighbour_too, elsewhere = job(1), job(1), job(2), job(3), job(4, guild_id=9)
    await queue.come(mine, mine_too, neighbour, neighbour_too, elsewhere)
    assert queue.begun == [mine, neighbour, elsewhere]
    await queue.end(mine)
    assert queue.begun[3:] == [neighbour_too]


async def test_cancelled_wait_moves_the_others_up() -> None:
    queue = Queue()
    first, second, third = job(1), job(2), job(3)
    _, waiting, _ = await queue.come(first, second, third)
    assert queue.places[third.job_id] == 2
    waiting.cancel()
    await settle()
    assert queue.places[third.job_id] == 1
    await queue.end(second)  # twice is harmless
    await queue.end(first)
    assert queue.begun == [first, third]


async def test_restored_jobs_count() -> None:
    queue = Queue()
    old, new = job(1), job(2)
    queue.fair_queue.start_turn(old)
    await queue.come(new)
    assert queue.begun == []
    await queue.end(old)
    assert queue.begun == [new]


async def test_owners_of_restored_jobs_count_as_served() -> None:
    queue = Queue()
    old, mine, other = job(1), job(1), job(2)
    queue.fair_queue.start_turn(old)
    await queue.come(mine, other)
    assert [queue.places[each.job_id] for each in (other, mine)] == [1, 2]
    await queue.end(old)
    assert queue.begun == [other]


async def test_positions_include_runcomfys_queue() -> None:
    queue = Queue()
    first, second, third = job(1), job(2), job(3)
    await queue.come(first, second, third)
    queue.fair_queue.update_position(first.job_id, 4)
    await settle()
    assert [queue.places[each.job_id] for each in (second, third)] == [5, 6]
    queue.fair_queue.update_position(first.job_id, 0)
    await settle()
    assert [queue.places[each.job_id] for each in (second, third)] == [1, 2]


async def test_no_two_jobs_share_a_position() -> None:
    queue = Queue(ConcurrencyLimits(total=2, per_user=2, per_guild=2))
    first, second, third, fourth = (job(user) for user in (1, 2, 3, 4))
    await queue.come(first, second, third, fourth)
    assert queue.fair_queue.update_position(first.job_id, 2) == 2
    assert queue.fair_queue.update_position(second.job_id, 2) == 3  # polled later, when it was second too
    assert queue.fair_queue.update_position(first.job_id, 0) == 0
    await settle()
    assert queue.places == {third.job_id: 4, fourth.job_id: 5}
    await queue.end(first)  # the third begins, but shows its place until RunComfy says more
    assert queue.fair_queue.positions() == {second.job_id: 3, third.job_id: 4, fourth.job_id: 5}
    queue.fair_queue.update_position(third.job_id, 0)
    queue.fair_queue.update_position(second.job_id, 0)
    await settle()
    assert queue.places[fourth.job_id] == 1


async def test_only_fifty_positions_are_shown_twice_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fair_queue, "_NOTIFY_SECONDS", _NOTIFY_SECONDS)
    shown: list[int] = []
    has_shown = asyncio.Event()

    def show(_: Job, progress: Progress) -> None:
        shown.append(progress.queue_position or 0)
        has_shown.set()

    crowd = FairQueue(ConcurrencyLimits(total=20, per_user=3, per_guild=1000), show)
    began = time.monotonic()
    tasks = []
    for user_id in range(300):
        tasks.append(asyncio.create_task(crowd.acquire(job(user_id))))
        await asyncio.sleep(0)
    await has_shown.wait()
    rounds = 1 + int((time.monotonic() - began) / _NOTIFY_SECONDS)
    assert shown[-50:] == list(range(1, 51))
    assert len(shown) <= 50 * rounds
    for task in tasks:
        task.cancel()


async def test_turn_of_a_cancelled_wait_goes_to_the_next() -> None:
    queue = Queue()
    first, second, third = job(1), job(2), job(3)
    _, waiting, _ = await queue.come(first, second, third)
    waiting.cancel()
    await queue.end(first)
    assert queue.begun == [first, third]


async def test_cancelled_wait_gets_no_turn() -> None:
    queue = Queue()
    first, second, third = job(1), job(2), job(3)
    _, waiting, _ = await queue.come(first, second, third)
    waiting.cancel()
    await settle()
    await queue.end(first)
    assert queue.begun == [first, third]


async def test_pause_starts_no_turn_and_is_shown_in_every_waiting_job() -> None:
    queue = Queue(ConcurrencyLimits(total=2, per_user=2, per_guild=1000))
    running, *crowd = [job(user) for user in range(1, 101)]
    queue.fair_queue.start_turn(running)
    queue.fair_queue.pause()
    await queue.come(*crowd)
    await queue.end(running)
    assert queue.begun == []
    assert queue.places == dict.fromkeys([each.job_id for each in crowd], PAUSED)
    assert queue.fair_queue.positions() == {}
    queue.fair_queue.resume()
    await settle()
    assert queue.begun == crowd[:2]
    # Also the last one, whose place would not be shown otherwise.
    assert [queue.places[each.job_id] for each in crowd[2:]] == list(range(1, 98))
    for each in crowd:
        await queue.end(each)
    assert queue.begun == crowd


async def test_job_that_gives_its_turn_back_while_paused_waits_again() -> None:
    queue = Queue()
    mine = job(1)
    await queue.come(mine)
    queue.fair_queue.pause()
    await queue.end(mine)
    await queue.come(mine)
    assert queue.begun == [mine]
    assert queue.places == {mine.job_id: PAUSED}
    queue.fair_queue.resume()
    await settle()
    assert queue.begun == [mine, mine]


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 2)), max_size=25),
    st.integers(1, 5),
    st.integers(1, 3),
)
def test_everyone_is_served_once_within_the_limits(
    people: list[tuple[int, int]], most: int, per_user: int
) -> None:
    async def serve() -> None:
        queue = Queue(ConcurrencyLimits(most, per_user, per_guild=3))
        jobs = [job(user, guild) for user, guild in people]
        tasks = await queue.come(*jobs)
        ended: list[Job] = []
        while len(ended) < len(jobs):
            running = [each for each in queue.begun if each not in ended]
            assert 1 <= len(running) <= most
            assert max(Counter(each.user_id for each in running).values()) <= per_user
            assert max(Counter(each.guild_id for each in running).values()) <= 3
            ended.append(running[0])
            await queue.end(running[0])
        await asyncio.gather(*tasks)
        assert sorted(each.job_id for each in queue.begun) == sorted(each.job_id for each in jobs)

    asyncio.run(serve())


async def test_processes_share_the_total() -> None:
    queue = Queue(ConcurrencyLimits(total=5, per_user=5, per_guild=5))
    queue.fair_queue.share(2)
    jobs = [job(user_id) for user_id in range(6)]
    tasks = await queue.come(*jobs)
    assert queue.begun == jobs[:2]
    queue.fair_queue.share(1)
    await settle()
    assert queue.begun == jobs[:5]
    queue.fair_queue.share(10)
    await queue.end(jobs[0])
    assert queue.begun == jobs[:5]
    for each in jobs[1:5]:
        await queue.end(each)
    assert queue.begun == jobs
    await asyncio.gather(*tasks)
