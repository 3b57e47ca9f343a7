"""When to look at a job of a kind of which it is known how long the last ones took."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.storage.paces import Span

LONGEST_SECONDS = 3.0
"""A finished image has to be in Discord within six seconds, download and upload included."""
FIRST_SECONDS = 2.0
"""So soon people see their place in the queue, or that it is painted."""
_SHORTEST_SECONDS = 0.25
_FIXED_SECONDS = 2.0  # the poll that a plan has to beat without looking more often
_SPENT = 0.98  # of that poll's looks; the rest is for what was guessed wrongly
_CELLS = 200  # a plan's parts of time at the most, since it is made while others wait
_SHORTEST_CELL_SECONDS = 0.125
_REACH = 0.97  # of the jobs end within a plan; for the others it would say little
_TRIES = 9
_NEAR = 1.25  # times the root of their number: so many neighbours share in a span
_SURE = 2.5  # standard errors: with fewer, a trend may be none

Table: TypeAlias = list[int]
"""For each cell the next one at whose end to look."""


class Plan:
    """Looks where an end is likely, as often in all as a poll every two seconds.

    What it minimises is the mean delay between a job's end and the look that finds it. How likely an end is
    follows from the spans, each spread over its neighbours. Dynamic programming from the last cell back finds
    the best looks for a price of a look, and the price is sought with which the looks are as many as may be.
    Since that number jumps from one price to the next, jobs take turns with the plans on both sides of it.
    """

    def __init__(self, spans: Sequence[Span], *, first_seconds: float = LONGEST_SECONDS) -> None:
        spans = _as_of_today(spans)
        ends = sorted(end for _, end in spans)
        self.horizon = ends[math.ceil(_REACH * len(ends)) - 1] + 1.0
        """Seconds of work after which nothing is known any more."""
        self.quickest_seconds = sorted(low for low, _ in spans)[len(spans) // 20]
        """Hardly a job takes less."""
        self._cell = max(_SHORTEST_CELL_SECONDS, self.horizon / _CELLS)
        self._cells = math.ceil(self.horizon / self._cell)
        self._first = int(first_seconds / self._cell)
        self._unseen = 1 / len(spans)  # as if one more job had not ended within the plan
        self._alive, self._moment = self._curves(spans)
        middles = [(began + end) / 2 for began, end in spans]
        late = sum(max(0.0, middle - self.horizon) for middle in middles) / LONGEST_SECONDS
        fixed = sum(middles) / _FIXED_SECONDS + len(spans) / 2
        self._choose(max(1.0, (_SPENT * fixed - late) / len(spans)))

    def pause_seconds(self, worked_seconds: float, luck: float) -> float:
        """How long to wait after so much work; `luck`, between 0 and 1, says which plan is the job's."""
        if worked_seconds >= self.horizon:
            return LONGEST_SECONDS
        table = self._rich if luck < self._share else self._cheap
        cell = min(round(worked_seconds / self._cell), self._cells - 1)
        return min(max(table[cell] * self._cell - worked_seconds, _SHORTEST_SECONDS), LONGEST_SECONDS)

    def _curves(self, spans: Sequence[Span]) -> tuple[list[float], list[float]]:
        """At each cell's begin: the share of jobs that have not ended, and the sum of the others' ends."""
        ended = [0.0] * self._cells
        for low, high in _spread(spans, self._cell):
            first, last = int(low / self._cell), min(int(high / self._cell), self._cells - 1)
            for cell in range(first, last + 1):
                begin = cell * self._cell
                share = (min(high, begin + self._cell) - max(low, begin)) / (high - low)
                ended[cell] += max(share, 0.0) / len(spans)
        alive, moment = [1.0 + self._unseen], [0.0]
        for cell, share in enumerate(ended):
            alive.append(alive[-1] - share)
            moment.append(moment[-1] + share * (cell + 0.5) * self._cell)
        return alive, moment

    def _choose(self, looks: float) -> None:
        """Find the plans that need hardly more looks than that, and hardly fewer."""
        low, high = -9.0, 2.0  # the logarithm of a look's price in seconds of delay
        self._rich = self._cheap = self._best(math.exp(high))
        most = least = self._looks(self._cheap)
        for _ in range(_TRIES):
            price = (low + high) / 2
            table = self._best(math.exp(price))
            needed = self._looks(table)
            if needed > looks:
                low, self._rich, most = price, table, needed
            else:
                high, self._cheap, least = price, table, needed
        self._share = (looks - least) / (most - least) if most > looks > least else 0.0

    def _best(self, price: float) -> Table:
        """The looks that cost least, delay and looks together, from each cell on."""
        cell, cells, alive, moment = self._cell, self._cells, self._alive, self._moment
        near = max(1, math.ceil(_SHORTEST_SECONDS / cell))
        far = max(near, int(LONGEST_SECONDS / cell))
        table = [cells] * cells
        # Of what a look at a cell's begin costs, the part that does not depend on the look before.
        rest = [0.0] * (cells + 1)
        rest[cells] = alive[cells] * (price + LONGEST_SECONDS / 2 - cells * cell) - moment[cells]
        last = cells
        for now in range(cells - 1, -1, -1):
            if now == 0:
                far = max(near, self._first)
            # Who looks earlier has no reason to look later the next time, so the search begins at `last`.
            first, last = min(now + near, cells), max(min(last, now + far), min(now + near, cells))
            here = alive[now] * cell
            least, last = min((look * here + rest[look], look) for look in range(first, last + 1))
            table[now] = last
            rest[now] = least + alive[now] * (price - now * cell)
        return table

    def _looks(self, table: Table) -> float:
        """How many looks a job needs that ends within the plan."""
        cell, looks = 0, 0.0
        while cell < self._cells:
            looks += self._alive[cell] - self._unseen
            cell = table[cell]
        return looks


def _spread(spans: Sequence[Span], least: float) -> list[Span]:
    """The spans, each at least as wide as the way to the neighbours that should share in it."""
    found = sorted(((low + high) / 2, high - low) for low, high in spans)
    near = max(1, round(_NEAR * math.sqrt(len(found))))
    spread: list[Span] = []
    for index, (middle, width) in enumerate(found):
        around = [middle - found[index - near][0]] if index >= near else []
        around += [found[index + near][0] - middle] if index + near < len(found) else []
        half = max(width / 2, least / 2, min(around, default=0.0))
        spread.append((max(0.0, middle - half), middle + half))
    return spread


def _as_of_today(spans: Sequence[Span]) -> Sequence[Span]:
    """The spans, oldest first; where jobs surely take longer and longer, or less and less, the newer half.

    Those are moved along to where they would be now.
    """
    slope, error = _trend(spans)
    if abs(slope) <= _SURE * error:
        return spans
    newer = spans[len(spans) // 2 :]
    slope, _ = _trend(newer)
    moves = [slope * (len(newer) - index) for index in range(len(newer))]
    return [
        (max(0.0, low + move), max(_SHORTEST_SECONDS, high + move))
        for (low, high), move in zip(newer, moves, strict=True)
    ]


def _trend(spans: Sequence[Span]) -> tuple[float, float]:
    """By how many seconds each job takes longer than the one before, and the standard error of that."""
    middles = [(low + high) / 2 for low, high in spans]
    centre, mean = (len(spans) - 1) / 2, sum(middles) / len(spans)
    off = [(index - centre, middle - mean) for index, middle in enumerate(middles)]
    squares = sum(index**2 for index, _ in off)
    slope = sum(index * seconds for index, seconds in off) / squares
    unexplained = sum((seconds - slope * index) ** 2 for index, seconds in off) / len(off)
    return slope, math.sqrt(unexplained / squares)
