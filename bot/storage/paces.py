"""How long the last jobs of each kind took, so that a restart does not forget it."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pydantic import NonNegativeInt, TypeAdapter, ValidationError

from bot.storage.database import Database, queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import aiosqlite

_log = logging.getLogger(__name__)
_kept = TypeAdapter(list[tuple[NonNegativeInt, NonNegativeInt]])

Span: TypeAlias = tuple[float, float]
"""Seconds of painting after which a job had not ended yet, and after which it had."""


class Kind(NamedTuple):
    """What jobs have in common that take about as long."""

    model_id: str
    resolution: str
    """Empty for a model without any."""
    images: int
    was_queued: bool
    """Whether RunComfy had it in its queue first: when its painting began is known less well then."""


class PaceStore:
    """A kind's last spans, oldest first, in one row."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = queries("paces")

    async def load(self) -> dict[Kind, list[Span]]:
        """Everything that was kept and can be read."""

        async def work(connection: aiosqlite.Connection) -> dict[Kind, list[Span]]:
            return {
                Kind(row["model_id"], row["resolution"], row["images"], bool(row["was_queued"])): spans
                async for row in self._queries.paces(connection)
                if (spans := _spans(row["spans"]))
            }

        return await self._database.read(work)

    async def keep(self, paces: Mapping[Kind, Sequence[Span]]) -> None:
        """Keep these spans, to the millisecond, in place of what was kept of their kinds.

        Raises:
            BusyError: The database did not take it.
        """
        rows = [
            {**kind._asdict(), "was_queued": int(kind.was_queued), "spans": _text(spans)}
            for kind, spans in paces.items()
        ]

        async def work(connection: aiosqlite.Connection) -> None:
            for row in rows:
                await self._queries.keep(connection, **row)

        await self._database.transaction(work)


def _text(spans: Sequence[Span]) -> str:
    return json.dumps([[round(low * 1000), round(high * 1000)] for low, high in spans])


def _spans(text: str) -> list[Span]:
    try:
        return [(low / 1000, high / 1000) for low, high in _kept.validate_json(text)]
    except ValidationError:
        _log.warning("what was known of how long jobs take cannot be read, and is learned anew")
        return []
