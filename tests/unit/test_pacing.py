"""Looks on a simulated clock: how late an end is noticed, and what that costs in looks.

`pytest -s` prints the numbers.
"""

from __future__ import annotations

import heapq
import math
import random
import sys
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, TypeAlias

import pytest

from bot.jobs.pacing import Looks, Pace, Pacing, pause_seconds
from bot.jobs.plan import FIRST_SECONDS, LONGEST_SECONDS, Plan
from bot.records import JobStatus
from bot.runcomfy import Completed, InProgress, InQueue
from bot.storage.database import open_database
from bot.storage.paces import Kind, PaceStore
from tests.orders import order

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from bot.runcomfy import Status

Draw: TypeAlias = "Callable[[int], list[Course]]"
"""Jobs by their seed."""

JOBS, LEARNING = 1000, 100
SEEDS = range(1, 6)  # so many draws of those jobs, so that the luck of one decides nothing
UNSEEN = 1000  # the seed of the draw that the best looks are computed from
FIXED_SECONDS = 2.0
STEP = 0.125  # seconds between the moments that the best schedule may choose


@dataclass(frozen=True)
class Course:
    """What RunComfy does with a request: it leaves each place after so many seconds, then paints."""

    painted: float
    places: tuple[float, ...] = ()

    @property
    def ends_at(self) -> float:
        return sum(self.places) + self.painted

    def status(self, at: float) -> Status:
        for place, seconds in enumerate(self.places):
            at -= seconds
            if at < 0:
                return InQueue(len(self.places) - place)
        return InProgress() if at < self.painted else Completed()


@dataclass(frozen=True)
class Cost:
    delay: float
    """Seconds between an end and the look that found it, on average."""
    looks: float
    """How many a job needed, on average."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[PaceStore]:
    async with open_database(tmp_path / "bot.db") as database:
        yield PaceStore(database)


@pytest.fixture
async def pacing(store: PaceStore) -> AsyncIterator[Pacing]:
    random.seed(5)
    pacing = Pacing(store, looks_per_second=20)
    yield pacing
    await pacing.close()


def watch(pacing: Pacing, course: Course, *, learns: bool = True, is_told: bool = True) -> tuple[float, int]:
    """Look at a job until its end, as the bot does: the delay, and how many looks it took.

    RunComfy says how long the job took where `is_told`.
    """
    pace, now, looks = Pace(pacing, order(), is_new=True, now=0.0), 0.0, 0
    while True:
        pause = pace.pause_seconds(now)
        assert 0 <= pause <= LONGEST_SECONDS
        now, looks = now + pause, looks + 1
        status = course.status(now)
        if isinstance(status, Completed):
            if learns:
                pace.succeeded(now, course.ends_at if is_told else None)
            return now - course.ends_at, looks
        pace.saw(status, now)


def watched(pacing: Pacing, courses: Sequence[Course], **how: bool) -> Cost:
    found = [watch(pacing, course, **how) for course in courses][LEARNING:]
    return Cost(fmean(delay for delay, _ in found), fmean(looks for _, looks in found))


def fixed(courses: Sequence[Course]) -> Cost:
    looks = [math.ceil(course.ends_at / FIXED_SECONDS) for course in courses[LEARNING:]]
    ends = [course.ends_at for course in courses[LEARNING:]]
    delays = [count * FIXED_SECONDS - end for count, end in zip(looks, ends, strict=True)]
    return Cost(fmean(delays), fmean(looks))


class Known:
    """The best looks at jobs whose distribution is known, under the bot's own promises.

    No pause is longer than three seconds, and none before the first look longer than `first`.
    """

    def __init__(self, ends: Sequence[float], weight: float = 1.0, *, first: float = FIRST_SECONDS) -> None:
        self.weight = weight
        self.first = int(first / STEP)
        self.cells = math.ceil((max(ends) + LONGEST_SECONDS) / STEP)
        self.alive, self.moment = [0.0] * (self.cells + 1), [0.0] * (self.cells + 1)
        rest, moment = sorted(ends, reverse=True), 0.0
        for cell in range(self.cells + 1):
            while rest and rest[-1] <= cell * STEP:
                moment += rest.pop() / len(ends)
            self.alive[cell], self.moment[cell] = len(rest) / len(ends), moment

    def best(self, price: float) -> Cost:
        """By dynamic programming: no other looks have a smaller sum of delay and looks times price."""
        alive, moment, far = self.alive, self.moment, int(LONGEST_SECONDS / STEP)
        rest, following = [0.0] * (self.cells + 1), [self.cells] * (self.cells + 1)
        for now in range(self.cells - 1, -1, -1):
            if alive[now]:
                far = far if now else self.first
                here, past = alive[now], moment[now]
                least, following[now] = min(
                    (look * STEP * (here - alive[look]) + past - moment[look] + rest[look], look)
                    for look in range(now + 1, min(now + far, self.cells) + 1)
                )
                rest[now] = least + price * here
        now, looks = 0, 0.0
        while alive[now]:
            looks += alive[now]
            now = following[now]
        return Cost(rest[0] - price * looks, looks)


def best_delay(known: Sequence[Known], looks: float) -> float:
    """What the best looks leave, where they are as many as that; between two prices in proportion."""
    low, high = math.log(1e-4), math.log(10.0)
    more, fewer = at_price(known, low), at_price(known, high)
    for _ in range(10):
        price = (low + high) / 2
        cost = at_price(known, price)
        if cost.looks > looks:
            low, more = price, cost
        else:
            high, fewer = price, cost
    between = more.looks - fewer.looks
    share = (looks - fewer.looks) / between if between else 0.0
    return fewer.delay + share * (more.delay - fewer.delay)


def at_price(known: Sequence[Known], price: float) -> Cost:
    found = [(each.weight, each.best(math.exp(price))) for each in known]
    whole = sum(weight for weight, _ in found)
    return Cost(
        sum(weight * cost.delay for weight, cost in found) / whole,
        sum(weight * cost.looks for weight, cost in found) / whole,
    )


def long_tailed(rng: random.Random) -> Course:
    return Course(min(90, 4 + rng.lognormvariate(2, 0.8)))


def very_long_tailed(rng: random.Random) -> Course:
    return Course(min(120, 5 * rng.paretovariate(1.5)))


def without_memory(rng: random.Random) -> Course:
    return Course(min(120, 0.2 + rng.expovariate(1 / 12)))


def steady(rng: random.Random) -> Course:
    return Course(rng.gauss(14, 1))


def short(rng: random.Random) -> Course:
    return Course(max(0.1, rng.gauss(0.5, 0.05)))


def two_humped(rng: random.Random) -> Course:
    return Course(rng.gauss(8, 0.7) if rng.random() < 0.6 else rng.gauss(20, 1.2))


def queue_bound(rng: random.Random) -> Course:
    places = tuple(rng.uniform(2, 8) for _ in range(rng.randrange(5)))
    return Course(rng.gauss(10, 1), places)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def mean(costs: Sequence[Cost]) -> Cost:
    return Cost(fmean(cost.delay for cost in costs), fmean(cost.looks for cost in costs))


async def compared(store: PaceStore, draw: Draw, **how: bool) -> tuple[Cost, Cost]:
    """What the bot's looks cost, and what a poll every two seconds costs."""
    found: dict[str, list[Cost]] = {"fixed": [], "before": [], "learned": []}
    for seed in SEEDS:
        random.seed(seed)
        courses, pacing = draw(seed), Pacing(store, looks_per_second=20)
        found["fixed"].append(fixed(courses))
        found["before"].append(watched(pacing, courses, learns=False))
        found["learned"].append(watched(pacing, courses, **how))
        await pacing.close()
    for name, costs in found.items():
        say(f"{name:>8}: {mean(costs).delay:.2f} s, {mean(costs).looks:.2f} looks")
    return mean(found["learned"]), mean(found["fixed"])


def drawn(course: Callable[[random.Random], Course], count: int = JOBS) -> Draw:
    def draw(seed: int) -> list[Course]:
        rng = random.Random(seed)
        return [course(rng) for _ in range(count)]

    return draw


def drifting(number: float, speed: int, rng: random.Random) -> Course:
    return Course(rng.gauss(12 + 6 * math.sin(speed * math.pi * number / JOBS), 1.5))


@pytest.mark.parametrize("is_told", [True, False], ids=["RunComfy says how long", "as the looks saw it"])
@pytest.mark.parametrize("course", [steady, two_humped])
async def test_steady_times_are_noticed_in_half_the_time_with_no_more_looks(
    store: PaceStore, course: Callable[[random.Random], Course], *, is_told: bool
) -> None:
    ours, plain = await compared(store, drawn(course), is_told=is_told)
    assert ours.delay <= plain.delay / 2
    assert ours.looks <= plain.looks


@pytest.mark.parametrize("is_told", [True, False], ids=["RunComfy says how long", "as the looks saw it"])
async def test_jobs_of_half_a_second_need_hardly_more_than_one_look(
    store: PaceStore, *, is_told: bool
) -> None:
    ours, plain = await compared(store, drawn(short), is_told=is_told)
    assert ours.delay <= plain.delay / 2
    assert plain.looks == 1
    assert ours.looks <= 1.01  # some take longer than any before


def assert_near_the_best(ours: Cost, plain: Cost, best: float, most: float = 1.15) -> None:
    say(f"    best: {best:.2f} s")
    assert ours.delay <= plain.delay * 1.05
    assert ours.looks <= plain.looks * 1.05
    assert ours.delay <= best * most


@pytest.mark.parametrize("course", [long_tailed, very_long_tailed, without_memory])
async def test_long_tails_are_near_the_best_that_can_be(
    store: PaceStore, course: Callable[[random.Random], Course]
) -> None:
    ours, plain = await compared(store, drawn(course))
    known = Known([course.ends_at for course in drawn(course, 8000)(UNSEEN)])
    assert_near_the_best(ours, plain, best_delay([known], ours.looks))


@pytest.mark.parametrize(("speed", "most"), [(1, 1.15), (2, 1.2)])  # what changes faster is known later
async def test_times_that_drift_are_followed(store: PaceStore, speed: int, most: float) -> None:
    def draw(seed: int) -> list[Course]:
        rng = random.Random(seed)
        return [drifting(number, speed, rng) for number in range(JOBS)]

    ours, plain = await compared(store, draw)
    rng = random.Random(UNSEEN)
    known = [
        Known([drifting(number, speed, rng).ends_at for _ in range(3000)])
        for number in range(LEARNING + 50, JOBS, 100)
    ]
    assert_near_the_best(ours, plain, best_delay(known, ours.looks), most)


async def test_waiting_in_the_queue_is_no_part_of_what_is_learned(store: PaceStore, pacing: Pacing) -> None:
    ours, plain = await compared(store, drawn(queue_bound))
    known = drawn(queue_bound, 6000)(UNSEEN)
    assert_near_the_best(
        ours, plain, min(best_in_queue(known, pause, ours.looks) for pause in (1, 2, 2.5, 3))
    )
    watched(pacing, drawn(queue_bound)(UNSEEN))
    usual = pacing.usual_seconds(Kind(order().model_id, "", 1, was_queued=False))
    assert usual == pytest.approx(10, abs=0.5)


def best_in_queue(courses: Sequence[Course], pause: float, looks: float) -> float:
    """The best delay where the queue is looked at so often, and the painting by its distribution then."""
    first = min(pause, FIRST_SECONDS)
    in_queue = [max(0, math.floor((sum(course.places) - first) / pause) + 1) for course in courses]
    at_once, waited = (
        [
            course.ends_at - (first + pause * count if is_queued else 0)
            for course, count in zip(courses, in_queue, strict=True)
            if bool(course.places) is is_queued
        ]
        for is_queued in (False, True)
    )
    known = [Known(at_once, len(at_once)), Known(waited, len(waited), first=LONGEST_SECONDS)]
    left = looks - fmean(
        count + 1 if course.places else 0 for course, count in zip(courses, in_queue, strict=True)
    )
    if left <= at_price(known, math.log(10)).looks:
        return math.inf  # the queue alone takes too many
    return best_delay(known, left)


class TestWithoutKnowledge:
    @pytest.mark.parametrize(
        ("unmoved", "pause"), [(0, 1), (9, 1), (20, 2), (30, 3), (900, 3), (901, 15), (90_000, 15)]
    )
    def test_the_pause_grows_with_the_time_in_which_nothing_moves(self, unmoved: float, pause: float) -> None:
        assert pause_seconds(unmoved) == pause

    async def test_the_first_look_is_at_once_and_then_a_second_after_each_change(
        self, pacing: Pacing
    ) -> None:
        pace = Pace(pacing, order(), is_new=True, now=0)
        assert not pace.is_known
        pauses = [pace.pause_seconds(0)]
        for status in (InQueue(2), InQueue(1), InProgress()):
            pace.saw(status, 100)
            pauses += [pace.pause_seconds(100), pace.pause_seconds(120)]
        assert pauses == [0, 1, 2, 1, 2, 1, 2]
        assert pace.is_known
        assert pace.usual_seconds is None


class TestWithKnowledge:
    @pytest.fixture(autouse=True)
    async def _known(self, pacing: Pacing) -> None:
        for course in drawn(steady, 50)(1):
            watch(pacing, course)

    async def test_a_job_from_before_the_start_is_looked_at_at_once(self, pacing: Pacing) -> None:
        for job in (order(status=JobStatus.IN_QUEUE), order(status=JobStatus.IN_PROGRESS)):
            assert Pace(pacing, job, is_new=False, now=0).pause_seconds(0) == 0
        assert Pace(pacing, order(), is_new=True, now=0).pause_seconds(0) > 1

    async def test_where_nothing_moves_for_long_the_pauses_are_long(self, pacing: Pacing) -> None:
        pace = Pace(pacing, order(), is_new=True, now=0)
        pace.saw(InProgress(), 1)
        assert [pace.pause_seconds(at) for at in (100, 900, 902)] == [3, 3, 15]

    async def test_other_kinds_are_not_known(self, pacing: Pacing) -> None:
        for other in (order(images=2), order(input={"resolution": "4K"}), order(model_id="other/model")):
            assert Pace(pacing, other, is_new=True, now=0).pause_seconds(0) == 0

    async def test_a_job_keeps_what_it_was_told_of_how_long_it_takes(self, pacing: Pacing) -> None:
        pace = Pace(pacing, order(), is_new=True, now=0)
        pace.saw(InProgress(), 1)
        told = pace.usual_seconds
        assert told == pytest.approx(14, abs=0.5)
        for _ in range(100):
            watch(pacing, Course(40))
        pace.saw(InProgress(), 2)
        assert pace.usual_seconds == told

    async def test_a_look_that_came_late_teaches_nothing(self, pacing: Pacing) -> None:
        kind = Kind(order().model_id, "", 1, was_queued=False)
        before = pacing.usual_seconds(kind)
        for _ in range(200):
            pace = Pace(pacing, order(), is_new=True, now=0)
            pace.saw(InProgress(), 1)
            pace.succeeded(300, None)
            Pace(pacing, order(), is_new=False, now=0).succeeded(1, 500)
        assert pacing.usual_seconds(kind) == before

    async def test_what_runcomfy_says_is_not_believed_against_what_was_seen(self, pacing: Pacing) -> None:
        kind = Kind(order().model_id, "", 1, was_queued=False)
        for said in (-5.0, 0.0, 1e9, 3.0) * 50:
            pace = Pace(pacing, order(), is_new=True, now=0)
            pace.saw(InProgress(), 13)
            pace.succeeded(14, said)
        assert pacing.usual_seconds(kind) == 13.5


async def test_what_is_usual_is_known_of_ten_jobs_whether_or_not_runcomfy_queued_them(
    pacing: Pacing,
) -> None:
    queued, at_once = (Kind("a/model", "", 1, was_queued=was) for was in (True, False))
    for _ in range(5):
        pacing.learn(queued, (9, 11))
        assert pacing.usual_seconds(at_once) is None
        pacing.learn(at_once, (6, 8))
    assert pacing.usual_seconds(queued) == pacing.usual_seconds(at_once) == 8.5
    for _ in range(5):
        pacing.learn(queued, (9, 11))
    assert [pacing.usual_seconds(kind) for kind in (queued, at_once)] == [10, 10]


async def test_another_life_knows_what_the_one_before_has_learned(tmp_path: Path) -> None:
    kind = Kind(order().model_id, "", 1, was_queued=False)
    async with open_database(tmp_path / "bot.db") as database:
        first = Pacing(PaceStore(database), looks_per_second=20)
        for course in drawn(steady, 300)(1):
            watch(first, course)
        await first.close()
        second = Pacing(PaceStore(database), looks_per_second=20)
        assert second.plan(kind) is None
        await second.load()
    assert second.usual_seconds(kind) == pytest.approx(first.usual_seconds(kind), abs=0.001)
    plan = second.plan(kind)
    assert plan
    assert plan.horizon == pytest.approx(Plan(first._known[kind].spans).horizon, abs=0.001)


@pytest.mark.parametrize("spans", ["", "{", "null", "[[1]]", "[[-1, 2]]", "[[NaN, 1]]", '[["a", 1]]', "[]"])
async def test_what_cannot_be_read_is_learned_anew(tmp_path: Path, spans: str) -> None:
    async with open_database(tmp_path / "bot.db") as database:
        store = PaceStore(database)
        ill, well = (Kind("a/model", "", images, was_queued=False) for images in (1, 2))
        await store.keep({ill: [(1, 2)] * 20, well: [(1, 2)] * 20})
        spoil = "update paces set spans = ? where images = 1"
        await database.transaction(lambda connection: connection.execute(spoil, (spans,)))
        pacing = Pacing(store, looks_per_second=20)
        await pacing.load()
        assert (pacing.plan(ill), pacing.usual_seconds(well)) == (None, 1.5)


def test_looks_are_not_more_in_any_second_and_come_in_the_order_in_which_they_are_due() -> None:
    looks = Looks(20)
    rng = random.Random(3)
    due = sorted(rng.uniform(0, 10) for _ in range(400))
    moments = [looks.book(moment) for moment in due]
    assert moments == sorted(moments)
    assert all(moment >= at for moment, at in zip(moments, due, strict=True))
    assert all(later - earlier > 0.999 for earlier, later in zip(moments, moments[20:], strict=False))
    assert moments[-1] < 20  # and none is given away
    assert looks.book(100) == 100


async def test_five_thousand_jobs_share_the_looks_and_none_starves(pacing: Pacing) -> None:
    """Twenty looks a second are one for each job in 250 seconds, and each job gets that."""
    paces = [Pace(pacing, order(), is_new=True, now=0) for _ in range(5000)]
    due = [(pace.pause_seconds(0), number) for number, pace in enumerate(paces)]
    moments: list[float] = []
    looked: list[list[float]] = [[] for _ in paces]
    while due and due[0][0] < 1300:
        at, number = heapq.heappop(due)
        moment = pacing.looks.book(at)
        moments.append(moment)
        looked[number].append(moment)
        paces[number].saw(InProgress(), moment)
        heapq.heappush(due, (moment + paces[number].pause_seconds(moment), number))
    assert all(later - earlier > 0.999 for earlier, later in zip(moments, moments[20:], strict=False))
    assert max(map(len, looked)) - min(map(len, looked)) <= 1
    waits = [later - earlier for each in looked for earlier, later in pairwise(each)]
    assert max(waits) <= 250 + 15
