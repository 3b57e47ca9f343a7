"""What jobs cost, asked of RunComfy when they have ended, and whether the owner's budget bears it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.errors import BotError, RunComfyUnavailableError
from bot.i18n import LazyText
from bot.log import job_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from bot.domain.job import Job
    from bot.jobs.ports import Delivery
    from bot.runcomfy import RunComfyClient
    from bot.storage.costs import CostStore
    from bot.storage.key_values import KeyValueStore

_log = logging.getLogger(__name__)
_PRICES_LAST_SECONDS = 24 * 60 * 60
_TRIES = 2  # of one cost, where RunComfy was there before; each is five calls
_LAST_ALERT = "month and budget of the last alarm"


class CostSync:
    """Work that is done once a minute; `alert_percent` per cent of the budget warn the owner."""

    def __init__(
        self,
        costs: CostStore,
        key_values: KeyValueStore,
        runcomfy: RunComfyClient,
        delivery: Delivery,
        *,
        model_ids: Iterable[str],
        alert_percent: int,
    ) -> None:
        self._costs = costs
        self._key_values = key_values
        self._runcomfy = runcomfy
        self._delivery = delivery
        self._model_ids = tuple(model_ids)
        self._alert_percent = alert_percent
        self._prices_until = 0.0
        self._failures: Counter[str] = Counter()

    async def refresh_prices(self) -> None:
        """Read each model's published price, at the start and once a day.

        Raises:
            BotError: RunComfy or the database does not answer; the prices that were known stay.
        """
        if time.monotonic() < self._prices_until:
            return
        for model_id in self._model_ids:
            try:
                price = await self._runcomfy.base_price(model_id)
            except RunComfyUnavailableError:
                raise
            except BotError as error:  # such as of a model that RunComfy has given up: the others go on
                _log.warning("RunComfy does not tell the price of %s: %s", model_id, error)
                continue
            if price is None:
                _log.warning("RunComfy publishes no price for an image of %s", model_id)
            elif not await self._costs.set_list_price(model_id, price):
                text = LazyText("price-not-believed", {"model": model_id, "price": f"{price:f}"})
                await self._warn_once(
                    f"warned of the published price of {model_id}",
                    text,
                    f"ignoring ${price}, which RunComfy publishes for an image of {model_id}",
                )
        self._prices_until = time.monotonic() + _PRICES_LAST_SECONDS

    async def collect_costs(self, heartbeat: Callable[[], None]) -> None:
        """Note what jobs that have ended have cost; after an hour once more, where RunComfy was not sure yet.

        Calls `heartbeat` before each.

        Raises:
            BotError: RunComfy or the database does not answer; what is left is asked the next time.
        """
        while due := await self._costs.due_for_cost_check():
            # What could not be asked last time comes last, so that it keeps no other waiting.
            for job in sorted(due, key=lambda job: self._failures[job.job_id]):
                heartbeat()
                with job_context(job.job_id):
                    is_down = self._runcomfy.is_down
                    try:
                        cost = await self._cost(job)
                    except RunComfyUnavailableError:
                        self._failures[job.job_id] += not is_down
                        if self._failures[job.job_id] < _TRIES:
                            raise
                        cost = None  # else a few of these would keep all others waiting for ever
                    del self._failures[job.job_id]
                    highest = await self._costs.record_cost(job, cost)
                    if cost is not None:
                        _log.info("cost $%s", cost)
                    if cost is not None and highest is not None:
                        await self._warn_of_cost(job, cost, highest)

    async def _cost(self, job: Job) -> Decimal | None:
        try:
            return await self._runcomfy.cost(job.request_id or "")
        except RunComfyUnavailableError:
            raise
        except BotError as error:
            _log.info("RunComfy does not say what it has cost: %s", error)
            return None

    async def _warn_of_cost(self, job: Job, cost: Decimal, highest: Decimal) -> None:
        most = highest * job.image_count
        values = {"model": job.model_id, "cost": f"{cost:.2f}", "highest": f"{most:.2f}"}
        await self._warn_once(
            f"warned of costs of {job.model_id} at {job.credits_each} credits",
            LazyText("cost-not-learned", values),
            f"a cost of ${cost:.2f} is booked but not learned: expected at most ${most:.2f}",
        )

    async def _warn_once(self, cause: str, text: LazyText, line: str) -> None:
        """Tell the owner, in the log and in a direct message, once a month for each cause."""
        month = f"{datetime.now(UTC):%Y-%m}"
        if await self._key_values.get(cause) == month:
            return
        _log.warning("%s", line)
        await self._key_values.set(cause, month)
        await self._delivery.warn_owner(text)

    async def check_budget(self) -> None:
        """Warn the owner, once a month for each budget in dollars, when most of it is spent.

        Raises:
            BotError: The database does not answer.
        """
        budget = self._costs.budget_usd
        if budget is None:
            return
        spent = await self._costs.spent_this_month()
        alert = f"{datetime.now(UTC):%Y-%m} {budget}"  # one for a budget that was raised since, too
        if spent * 100 < budget * self._alert_percent or await self._key_values.get(_LAST_ALERT) == alert:
            return
        _log.error("$%.2f of this month's BUDGET_USD of $%.2f are spent or ordered", spent, budget)
        await self._key_values.set(_LAST_ALERT, alert)
        await self._delivery.warn_owner(
            LazyText("budget-alarm", {"spent": f"{spent:.2f}", "budget": f"{budget:.2f}"})
        )
