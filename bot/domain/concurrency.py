"""How many jobs can be at RunComfy at once, and how processes divide that; pure, without I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class ConcurrencyLimits:
    """How many jobs can be at RunComfy at once: in total, per member, per server."""

    total: int
    per_user: int
    per_guild: int


def fair_share(places: int, wanted: Sequence[int | None]) -> int:
    """Return how many places this process gets if they are divided max-min fairly.

    `wanted` is how many each process would use, with None for this one, which can use any number. A rest
    that can't be divided evenly goes to the first ones.
    """
    unsatisfied = list(wanted)
    for each in sorted(each for each in wanted if each is not None):
        if each <= places // len(unsatisfied):
            places -= each
            unsatisfied.remove(each)
    share, rest = divmod(places, len(unsatisfied))
    return share + (unsatisfied.index(None) < rest)
