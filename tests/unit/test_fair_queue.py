from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.concurrency import ConcurrencyLimits, fair_share
from bot.jobs import fair_queue
from bot.jobs.fair_queue import FairQueue
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


@pytest.mark.parametrize(
    ("places", "wanted", "share"),
    [
        (20, [None], 20),
        (20, [None, 0], 20),
        (20, [None, 3], 17),
        (20, [None, 100], 10),
        (20, [None, 100, 2], 9),
        (20, [None, 100, 7, 2], 6),
        (20, [None, 100, 6, 2], 6),
        (5, [None, 100], 3),  # what can't be divided evenly goes to the first ones
        (5, [100, None], 2),
        (5, [100, None, 100], 2),
        (5, [100, 100, None], 1),
        (1, [100, None], 0),
        (1, [None, 1], 1),
        (2, [1, None, 100], 1),
    ],
)
def test_fair_share(places: int, wanted: list[int | None], share: int) -> None:
    assert fair_share(places, wanted) == share


@given(st.integers(1, 30), st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_shares_are_max_min_fair(places: int, wanted: list[int]) -> None:
    """All places are used if they are wanted, and one that wants more has at most one less than any other."""
    shares = [
        min(want, fair_share(places, [*wanted[:number], None, *wanted[number + 1 :]]))
        for number, want in enumerate(wanted)
    ]
    assert sum(shares) == min(places, sum(wanted))
    unsatisfied = [share for share, want in zip(shares, wanted, strict=True) if share < want]
    assert max(shares) <= min(unsatisfied, default=places) + 1


class TestSeveralProcesses:
    """What others run counts, and places are divided by what each process wants."""

    async def test_others_count_in_total_and_for_members_and_servers(self) -> None:
        queue = Queue(ConcurrencyLimits(total=4, per_user=1, per_guild=2))
        queue.fair_queue.see_others({"a": (1, 1), "b": (2, 2)})
        busy_member, busy_server = job(1, guild_id=9), job(3, guild_id=2)
        last, third = job(4, guild_id=2), job(5, guild_id=8)
        await queue.come(busy_member, busy_server, last, third)
        assert queue.begun == [busy_server, third]
        queue.fair_queue.see_others({"b": (2, 2)})
        await settle()
        assert queue.begun == [busy_server, third, busy_member]
        queue.fair_queue.see_others({})
        await settle()
        assert queue.begun == [busy_server, third, busy_member, last]

    async def test_backlog_uses_what_another_process_leaves(self) -> None:
        queue = Queue(ConcurrencyLimits(total=5, per_user=5, per_guild=5))
        jobs = [job(user_id) for user_id in range(9)]
        queue.fair_queue.share([None, 0])
        await queue.come(*jobs)
        assert queue.begun == jobs[:5]
        assert queue.fair_queue.wanted == 5
        queue.fair_queue.share([None, 2])  # another process has two jobs now
        await queue.end(jobs[0])
        await queue.end(jobs[1])
        assert queue.begun == jobs[:5]
        queue.fair_queue.see_others({"a": (1, 1), "b": (1, 1)})
        await queue.end(jobs[2])
        assert queue.begun == jobs[:6]
        queue.fair_queue.see_others({})
        queue.fair_queue.share([None])
        await settle()
        assert queue.begun == jobs[:8]

    async def test_job_of_an_idle_process_does_not_wait_for_a_heartbeat(self) -> None:
        queue = Queue(ConcurrencyLimits(total=5, per_user=5, per_guild=5))
        queue.fair_queue.share([100, None])
        queue.fair_queue.see_others({"a": (1, 9), "b": (2, 9), "c": (3, 9)})
        jobs = [job(user_id) for user_id in range(3)]
        await queue.come(*jobs)
        assert queue.begun == jobs[:2]

    async def test_job_taken_over_counts_once(self) -> None:
        queue = Queue(ConcurrencyLimits(total=3, per_user=1, per_guild=3))
        taken, mine = job(1), job(1)
        queue.fair_queue.see_others({taken.job_id: (1, 1)})
        queue.fair_queue.start_turn(taken)
        await queue.come(mine)
        queue.fair_queue.see_others({taken.job_id: (1, 1)})
        assert queue.begun == []
        await queue.end(taken)
        assert queue.begun == [mine]

    async def test_only_jobs_within_the_other_limits_are_wanted(self) -> None:
        queue = Queue(ConcurrencyLimits(total=9, per_user=2, per_guild=4))
        queue.fair_queue.see_others({"a": (1, 1)})
        crowd = [*(job(1) for _ in range(9)), *(job(user, guild_id=2) for user in range(10, 19))]
        queue.fair_queue.share([0, None])
        queue.fair_queue.pause()
        await queue.come(*crowd)
        assert queue.fair_queue.wanted == 1 + 4

    async def test_jobs_without_a_place_are_the_first_again(self) -> None:
        queue = Queue(ConcurrencyLimits(total=2, per_user=2, per_guild=9))
        mine, next_one, pile, other = job(1), job(1), job(1), job(2)
        await queue.come(mine, next_one, pile, other)
        assert queue.begun == [mine, next_one]
        queue.fair_queue.see_others({"a": (7, 7), "b": (8, 8)})  # they were faster
        again = [asyncio.create_task(queue.fair_queue.acquire_again(each)) for each in (mine, next_one)]
        await settle()
        assert [queue.places[each.job_id] for each in (mine, other, next_one, pile)] == [1, 2, 3, 4]
        queue.fair_queue.see_others({"a": (7, 7)})
        await settle()
        assert [each.done() for each in again] == [True, False]
        queue.fair_queue.see_others({})
        await settle()
        assert queue.begun == [mine, next_one, other]
        await queue.end(mine)
        assert again[1].done()
        await queue.end(other)
        assert queue.begun == [mine, next_one, other, pile]
