"""Read each model from RunComfy, and hide those whose requests would fail."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import BotError, ModelGoneError
from bot.i18n import LazyText
from bot.models.availability import hidden_reasons, live_problems
from bot.models.live import is_plausible_price

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bot.clock import Clock
    from bot.maintenance.owner_notices import OwnerNotices
    from bot.models.catalogue import Catalogue, Model
    from bot.models.live import LiveModel, Reading
    from bot.runcomfy.client import RunComfyClient
    from bot.storage.costs import CostStore
    from bot.storage.live_models import LiveModelStore

_log = logging.getLogger(__name__)
_START_SECONDS = 5.0
_AGAIN_SECONDS = 24 * 60 * 60
_AGAIN_IF_HIDDEN_SECONDS = 60 * 60  # what RunComfy has broken, it can repair
_CONCURRENT = 8
_REASON_MAX = 300  # characters in a direct message


@dataclass
class LiveModels:
    """Keeps schemas and prices up to date, and `catalogue.hidden` in line with them.

    Every model but that of /imagine is offered only once RunComfy's schema and price have been read and fit
    its file. `on_change` is called when the offered models change after the start.
    """

    runcomfy: RunComfyClient
    catalogue: Catalogue
    store: LiveModelStore
    costs: CostStore
    notices: OwnerNotices
    clock: Clock
    on_change: Callable[[], None]
    _readings: dict[str, Reading] = field(default_factory=dict, init=False)
    _next_read: dict[str, float] = field(default_factory=dict, init=False)
    _troubles: dict[str, str] = field(default_factory=dict, init=False)
    """Why models could not be read, as last logged."""
    _unnotified: set[str] = field(default_factory=set, init=False)
    """The models that were read since the owner was last notified."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def load(self) -> None:
        """Offer what was read before and fits, so that no model disappears while RunComfy is down."""
        self._readings = await self.store.readings()
        self._update_hidden()

    async def read_at_start(self) -> None:
        """Read the models that can't be offered yet, in at most five seconds."""
        async with self._lock:
            unread = self.catalogue.keys() - self._readings.keys()
            with suppress(TimeoutError):
                async with asyncio.timeout(_START_SECONDS):
                    await self._read_all(unread | self.catalogue.hidden.keys())
            self._update_hidden()

    async def refresh(self) -> None:
        """Read the models that are due: each once a day, a hidden one every hour.

        Raises:
            BotError: The database doesn't answer.
        """
        async with self._lock:
            now = self.clock.monotonic()
            due = [each for each in self.catalogue if self._next_read.get(each, now) <= now]
            await self._read_all(due)
            if due and self._update_hidden():
                self.on_change()
        for model_id in sorted(self._unnotified):
            await self._notify(self.catalogue[model_id], self._readings[model_id])
            self._unnotified.discard(model_id)

    async def _read_all(self, model_ids: Collection[str]) -> None:
        slots = asyncio.Semaphore(_CONCURRENT)

        async def read(model_id: str) -> None:
            async with slots:
                await self._read(model_id)

        async with asyncio.TaskGroup() as group:
            for model_id in model_ids:
                group.create_task(read(model_id))

    async def _read(self, model_id: str) -> None:
        """Read one model; trouble is logged once, and the next call tries again."""
        try:
            entry = await self._entry(model_id)
            await self.store.record(model_id, entry)
            if entry and entry.image_price is not None:
                await self.costs.set_list_price(model_id, entry.image_price)
            self._readings = await self.store.readings()
        except BotError as error:
            if self._troubles.get(model_id) != str(error):
                _log.warning("could not read %s from RunComfy, trying again: %s", model_id, error)
            self._troubles[model_id] = str(error)
            return
        self._troubles.pop(model_id, None)
        self._unnotified.add(model_id)
        is_fine = not self._reasons(self.catalogue[model_id])
        seconds = _AGAIN_SECONDS if is_fine else _AGAIN_IF_HIDDEN_SECONDS
        self._next_read[model_id] = self.clock.monotonic() + seconds

    async def _entry(self, model_id: str) -> LiveModel | None:
        try:
            return await self.runcomfy.model(model_id)
        except ModelGoneError:
            return None

    def _reasons(self, model: Model) -> list[str]:
        has_budget = self.costs.budget_usd is not None
        return hidden_reasons(model, self._readings.get(model.model_id), has_budget=has_budget)

    def _update_hidden(self) -> bool:
        """Hide the models that can't be offered; return whether the offered ones changed."""
        before, main = self.catalogue.hidden, self.catalogue.main
        others = (model for model in self.catalogue.values() if model is not main)
        hidden = {model.model_id: "; ".join(found) for model in others if (found := self._reasons(model))}
        for model_id in before.keys() - hidden.keys():
            _log.info("/%s is offered now", self.catalogue[model_id].command)
        for model_id, reason in hidden.items():
            if before.get(model_id) != reason:
                _log.info("/%s is hidden: %s", self.catalogue[model_id].command, reason)
        self.catalogue.hidden = hidden
        return before.keys() != hidden.keys()

    async def _notify(self, model: Model, reading: Reading) -> None:
        """Tell the owner what is wrong with a model, once for each cause."""
        if problems := live_problems(model, reading.entry):
            reason, is_main = "; ".join(problems), model is self.catalogue.main
            values = {"command": model.command, "reason": reason[:_REASON_MAX]}
            line = f"requests of /{model.command} {'will probably' if is_main else 'would'} fail: {reason}"
            text = LazyText("model-failing" if is_main else "model-hidden", values)
            await self.notices.warn_once(f"warned of {model.model_id}: {problems[0]}", text, line)
        if reading.entry is None:
            return
        price = reading.entry.image_price
        if price is None:
            _log.warning("RunComfy publishes no price for an image of %s", model.model_id)
        elif not is_plausible_price(price):
            text = LazyText("price-not-believed", {"model": model.model_id, "price": f"{price:f}"})
            line = f"ignoring ${price}, which RunComfy publishes for an image of {model.model_id}"
            await self.notices.warn_once(f"warned of the published price of {model.model_id}", text, line)
