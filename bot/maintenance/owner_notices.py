"""Notices to the bot's owner, in the log and in a direct message."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.clock import Clock
    from bot.i18n import LazyText
    from bot.jobs.ports import Delivery
    from bot.storage.key_values import KeyValueStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OwnerNotices:
    """Warns the owner once a month for each cause."""

    delivery: Delivery
    key_values: KeyValueStore
    clock: Clock

    async def warn_once(self, cause: str, text: LazyText, line: str, *, level: int = logging.WARNING) -> None:
        """Log a line and send the owner a text, unless that was done for this cause in this month."""
        month = f"{self.clock.now():%Y-%m}"
        if await self.key_values.claim(cause, month):
            _log.log(level, "%s", line)
            await self.delivery.warn_owner(text)
