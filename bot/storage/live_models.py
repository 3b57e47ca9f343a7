"""What RunComfy said about each model when it was read last."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from bot.models.live import LiveModel, Reading, is_plausible_price
from bot.storage.columns import from_epoch_ms, from_microdollars, to_epoch_ms
from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.storage.database import Row

_log = logging.getLogger(__name__)
_queries = load_queries("live_models")
_ENTRY: Final = TypeAdapter[LiveModel | None](LiveModel | None)


class LiveModelStore(Store):
    """The last reading of each model; RunComfy's prices are in `CostStore`."""

    async def readings(self) -> dict[str, Reading]:
        """Return the last reading of each model that was ever read."""
        return readings_from_rows(await self._read(_queries.readings))

    async def record(self, model_id: str, entry: LiveModel | None) -> None:
        """Record RunComfy's entry of a model; None if it does not know the model."""
        text, now = _ENTRY.dump_json(entry).decode(), to_epoch_ms(self._database.clock.now())
        await self._write(_queries.record, model_id=model_id, entry=text, read_at=now)


def readings_from_rows(rows: Iterable[Row]) -> dict[str, Reading]:
    """Return the readings by model_id; a row that can't be read counts as none."""
    found = {}
    for row in rows:
        try:
            entry = _ENTRY.validate_json(row["entry"])
            read_at = from_epoch_ms(row["read_at"])
        except (ValidationError, ValueError, OverflowError):
            _log.warning("the reading of %s is unreadable and will be repeated", row["model_id"])
            continue
        price = None if row["usd_each"] is None else from_microdollars(row["usd_each"])
        plausible = price if price is not None and is_plausible_price(price) else None
        found[row["model_id"]] = Reading(entry, plausible, read_at)
    return found
