"""When to look again at a job that RunComfy works on, as the last jobs of its kind teach it."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import statistics
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.errors import BusyError
from bot.jobs.plan import FIRST_SECONDS, LONGEST_SECONDS, Plan
from bot.runcomfy import InProgress, InQueue
from bot.storage.paces import Kind

if TYPE_CHECKING:
    from bot.records import Job
    from bot.runcomfy import Status
    from bot.storage.paces import PaceStore, Span

_log = logging.getLogger(__name__)
_LIVELY_SECONDS = 15 * 60
_KEPT = 200  # spans of a kind: enough to know it, few enough to follow it when it changes
_KEPT_AFTER_SECONDS = 1.0
_ENOUGH = 10
_PLANS = 12  # are made of a kind until all its spans have changed: one takes a hundredth of a second
_QUEUE_SECONDS = 2.0  # where jobs may be done so soon after they have left the queue
_CLOCK_SECONDS = 1.0  # so far what RunComfy says may be off: it counts from before its answer to the order
_WORD = 50  # characters of a resolution
_VAGUE_SECONDS = 6.0  # a wider span is from an outage or a crowd, and says little


def pause_seconds(unmoved_seconds: float) -> float:
    """How long to wait where nothing is known: one second after a change, longer the longer nothing moves.

    A finished image has to be in Discord within six seconds, download and upload included, so the pauses of a
    job that moves end at three.
    """
    if unmoved_seconds > _LIVELY_SECONDS:
        return 15.0
    return min(LONGEST_SECONDS, max(1.0, unmoved_seconds / 10))


class Looks:
    """At most so many looks in any second over all jobs together; whoever was due first comes first."""

    def __init__(self, per_second: int) -> None:
        self._latest = deque([-math.inf] * per_second, maxlen=per_second)

    def book(self, now: float) -> float:
        """The moment of the next look that is free, `now` or later."""
        moment = max(now, self._latest[0] + 1.0)
        self._latest.append(moment)
        return moment


@dataclass
class _Known:
    """The last spans of a kind, and the plan that was made of them when they were `planned_at` in all."""

    spans: deque[Span] = field(default_factory=lambda: deque(maxlen=_KEPT))
    count: int = 0
    planned_at: int = 0
    plan: Plan | None = None


class Pacing:
    """What the last jobs took, by model, resolution and number of images; outlives the process."""

    def __init__(self, store: PaceStore, *, looks_per_second: int) -> None:
        self._store = store
        self._known: defaultdict[Kind, _Known] = defaultdict(_Known)
        self._unkept: set[Kind] = set()
        self._keeping: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self.looks = Looks(looks_per_second)

    async def load(self) -> None:
        """Remember what was kept."""
        for kind, spans in (await self._store.load()).items():
            self._known[kind] = _Known(deque(spans, maxlen=_KEPT), len(spans))

    def plan(self, kind: Kind) -> Plan | None:
        """When to look at jobs of this kind; None while too few have ended."""
        known = self._best_known(kind)
        if known is None:
            return None
        if known.plan is None or known.count - known.planned_at > len(known.spans) // _PLANS:
            first = (
                LONGEST_SECONDS if kind.was_queued else FIRST_SECONDS
            )  # was looked at in the queue already
            known.plan, known.planned_at = Plan(list(known.spans), first_seconds=first), known.count
        return known.plan

    def usual_seconds(self, kind: Kind) -> float | None:
        """How long half of these jobs were painted at the most; None while too few have ended.

        Where they alone are too few, those count too that differ by the queue alone.
        """
        spans: list[Span] = []
        for each in _alike(kind):
            spans += self._known[each].spans if each in self._known else ()
            if len(spans) >= _ENOUGH:
                return statistics.median((low + high) / 2 for low, high in spans)
        return None

    def learn(self, kind: Kind, span: Span) -> None:
        """Take in how long a job was painted, and have it kept soon."""
        known = self._known[kind]
        known.spans.append(span)
        known.count += 1
        self._unkept.add(kind)
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Returns once everything is kept, or the database has not taken it."""
        self._closing.set()
        if self._keeping:
            await self._keeping

    def _best_known(self, kind: Kind) -> _Known | None:
        """Of the kind itself or, before enough have ended, of the one that differs by the queue alone."""
        for each in _alike(kind):
            known = self._known.get(each)
            if known and len(known.spans) >= _ENOUGH:
                return known
        return None

    async def _keep(self) -> None:
        while self._unkept:
            with suppress(TimeoutError):  # other jobs end meanwhile, and one write is enough for all of them
                await asyncio.wait_for(self._closing.wait(), _KEPT_AFTER_SECONDS)
            kinds, self._unkept = self._unkept, set()
            try:
                await self._store.keep({kind: list(self._known[kind].spans) for kind in kinds})
            except BusyError:  # nothing is lost before a restart, and the next one tries again
                self._unkept |= kinds
                return


def _alike(kind: Kind) -> tuple[Kind, Kind]:
    """The kind, and the one that differs by the queue alone."""
    return kind, kind._replace(was_queued=not kind.was_queued)


class Pace:
    """The looks at one job. Moments are seconds of a clock that never goes back."""

    def __init__(self, pacing: Pacing, job: Job, *, is_new: bool, now: float) -> None:
        self._pacing = pacing
        self._kind = Kind(
            job.model_id, str(job.input.get("resolution", ""))[:_WORD], job.images, was_queued=False
        )
        self._luck = random.random()
        self._is_new = is_new
        self._is_first = True
        self._seen: Status | None = None
        self._moved_at = now  # not the order's: a bot that was away for hours looks again first
        # When it surely was not painted yet, when it surely still was; when that began, as near as is known.
        self._ordered_at = self._waited_at = now if is_new else None
        self._painted_at: float | None = None
        self._began_at: float | None = None
        if job.started_at:
            self._began_at = now - max(0.0, (datetime.now(UTC) - job.started_at).total_seconds())
        self.usual_seconds: float | None = None
        """How long jobs like it are painted mostly; None until it is, and where that is not known."""

    @property
    def is_known(self) -> bool:
        """Whether RunComfy has said anything about it."""
        return self._seen is not None

    def unmoved_seconds(self, now: float) -> float:
        """For how long nothing has changed."""
        return now - self._moved_at

    def pause_seconds(self, now: float) -> float:
        """How long to wait before the next look; what may have ended long ago is looked at first."""
        plan, unmoved = self._pacing.plan(self._kind), self.unmoved_seconds(now)
        if self._is_first and not (self._is_new and plan):
            self._is_first = False
            return 0.0
        self._is_first = False
        began = self._waited_at if self._began_at is None else self._began_at
        if plan is None or began is None or unmoved > _LIVELY_SECONDS:
            return pause_seconds(unmoved)
        if isinstance(self._seen, InQueue):
            return min(max(plan.quickest_seconds, _QUEUE_SECONDS), LONGEST_SECONDS)
        return plan.pause_seconds(now - began, self._luck)

    def saw(self, status: Status, now: float) -> None:
        """Take in what a look has found that was made at this moment."""
        if status != self._seen:
            self._seen, self._moved_at = status, now
        if isinstance(status, InQueue):
            self._waited_at, self._kind = now, self._kind._replace(was_queued=True)
        elif isinstance(status, InProgress):
            if self._began_at is None and self._waited_at is not None:
                # What was never seen in the queue was never in it, mostly.
                self._began_at = (self._waited_at + now) / 2 if self._kind.was_queued else self._waited_at
            if self._painted_at is None:
                self.usual_seconds = self._pacing.usual_seconds(self._kind)
            self._painted_at = now

    def succeeded(self, now: float, took_seconds: float | None) -> None:
        """Learn from a job that was found done at this moment, and from what RunComfy says it took."""
        began = self._waited_at if self._began_at is None else self._began_at
        alive = self._waited_at if self._painted_at is None else self._painted_at
        if began is None or alive is None:
            return
        if took_seconds is not None and self._ordered_at is not None:
            said = self._ordered_at + took_seconds
            if alive - _CLOCK_SECONDS < said < now + _CLOCK_SECONDS:
                alive = now = min(max(said, alive), now)
        if now - alive <= max(_VAGUE_SECONDS, (alive - began) / 4):
            self._pacing.learn(self._kind, (max(0.0, alive - began), now - began))
