"""Fetch prices and costs from RunComfy, and alert the owner before the budget is used up."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import BotError, RunComfyUnavailableError
from bot.i18n import LazyText
from bot.log import job_context
from bot.maintenance.loop import heartbeat

if TYPE_CHECKING:
    from collections.abc import Collection
    from decimal import Decimal

    from bot.domain.job import Job
    from bot.jobs.steps.state import StepContext
    from bot.storage.costs import CostStore
    from bot.storage.key_values import KeyValueStore

_log = logging.getLogger(__name__)
_PRICES_LAST_SECONDS = 24 * 60 * 60
_TRIES = 2  # to fetch a cost while RunComfy is up; each is five requests
_LAST_ALERT = "month and budget of the last alarm"


@dataclass(kw_only=True)
class CostSync:
    """Keeps prices and costs up to date; `alert_percent` of the budget in dollars alerts the owner."""

    context: StepContext
    costs: CostStore
    key_values: KeyValueStore
    model_ids: Collection[str]
    alert_percent: int
    _prices_until: float = field(default=float("-inf"), init=False)
    _failures: Counter[str] = field(default_factory=Counter, init=False)

    async def refresh_prices(self) -> None:
        """Fetch each model's list price, at the start and once a day.

        Raises:
            BotError: RunComfy or the database doesn't answer; known prices stay.
        """
        if self.context.clock.monotonic() < self._prices_until:
            return
        for model_id in self.model_ids:
            try:
                price = await self.context.runcomfy.base_price(model_id)
            except RunComfyUnavailableError:
                raise
            except BotError as error:  # such as of a model that RunComfy has removed; the others continue
                _log.warning("RunComfy does not report the price of %s: %s", model_id, error)
                continue
            if price is None:
                _log.warning("RunComfy publishes no price for an image of %s", model_id)
            elif not await self.costs.set_list_price(model_id, price):
                text = LazyText("price-not-believed", {"model": model_id, "price": f"{price:f}"})
                line = f"ignoring ${price}, which RunComfy publishes for an image of {model_id}"
                await self._warn_once(f"warned of the published price of {model_id}", text, line)
        self._prices_until = self.context.clock.monotonic() + _PRICES_LAST_SECONDS

    async def collect_costs(self) -> None:
        """Fetch the costs of jobs that have ended; an hour later once more, if RunComfy wasn't sure yet.

        Raises:
            BotError: RunComfy or the database doesn't answer; the rest is fetched the next time.
        """
        while due := await self.costs.due_for_cost_check():
            # Those that failed before come last, so that they delay no others.
            for job in sorted(due, key=lambda job: self._failures[job.job_id]):
                heartbeat()
                with job_context(job.job_id):
                    await self._collect_cost(job)

    async def _collect_cost(self, job: Job) -> None:
        was_down = self.context.runcomfy.is_down
        try:
            cost = await self._fetch_cost(job)
        except RunComfyUnavailableError:
            self._failures[job.job_id] += not was_down
            if self._failures[job.job_id] < _TRIES:
                raise
            cost = None  # otherwise a few of these would delay all others forever
        del self._failures[job.job_id]
        highest = await self.costs.record_cost(job, cost)
        if cost is None:
            return
        _log.info("cost $%s", cost)
        if highest is not None:
            expected = highest * job.image_count
            values = {"model": job.model_id, "cost": f"{cost:.2f}", "highest": f"{expected:.2f}"}
            await self._warn_once(
                f"warned of costs of {job.model_id} at {job.credits_each} credits",
                LazyText("cost-not-learned", values),
                f"a cost of ${cost:.2f} is recorded but not learned: expected at most ${expected:.2f}",
            )

    async def _fetch_cost(self, job: Job) -> Decimal | None:
        try:
            return await self.context.runcomfy.cost(job.request_id or "")
        except RunComfyUnavailableError:
            raise
        except BotError as error:
            _log.info("RunComfy does not report its cost: %s", error)
            return None

    async def _warn_once(self, cause: str, text: LazyText, line: str) -> None:
        """Warn the owner, in the log and in a direct message, once a month for each cause."""
        month = f"{self.context.clock.now():%Y-%m}"
        if await self.key_values.get(cause) == month:
            return
        _log.warning("%s", line)
        await self.key_values.set(cause, month)
        await self.context.delivery.warn_owner(text)

    async def check_budget(self) -> None:
        """Alert the owner once a month, and once more for a raised budget, when most of it is spent.

        Raises:
            BotError: The database doesn't answer.
        """
        budget = self.costs.budget_usd
        if budget is None:
            return
        spent = await self.costs.spent_this_month()
        alert = f"{self.context.clock.now():%Y-%m} {budget}"
        if spent * 100 < budget * self.alert_percent or await self.key_values.get(_LAST_ALERT) == alert:
            return
        _log.error("$%.2f of this month's BUDGET_USD of $%.2f are spent or reserved", spent, budget)
        await self.key_values.set(_LAST_ALERT, alert)
        amounts = {"spent": f"{spent:.2f}", "budget": f"{budget:.2f}"}
        await self.context.delivery.warn_owner(LazyText("budget-alarm", amounts))
