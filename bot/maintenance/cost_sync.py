"""Fetch costs from RunComfy, and alert the owner before the budget is used up."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import BotError, RunComfyUnavailableError
from bot.i18n import LazyText
from bot.maintenance.loop import DueJobs

if TYPE_CHECKING:
    from bot.domain.job import Job
    from bot.jobs.steps.state import StepContext
    from bot.maintenance.owner_notices import OwnerNotices
    from bot.models.catalogue import Catalogue
    from bot.storage.costs import CostStore

_log = logging.getLogger(__name__)
_TRIES = 2  # to fetch a cost while RunComfy is up; each is five requests


@dataclass
class CostSync:
    """Keeps costs up to date; `alert_percent` of the budget in dollars alerts the owner."""

    context: StepContext
    costs: CostStore
    notices: OwnerNotices
    catalogue: Catalogue
    alert_percent: int
    _due: DueJobs = field(default_factory=DueJobs, init=False)

    async def collect_costs(self) -> None:
        """Fetch the costs of jobs that have ended; an hour later once more, if RunComfy wasn't sure yet.

        Raises:
            BotError: RunComfy or the database doesn't answer; the rest is fetched the next time.
        """
        await self._due.handle(await self.costs.due_for_cost_check(), self._collect_cost)

    async def _collect_cost(self, job: Job) -> None:
        if self.context.runcomfy.is_down:
            self._due.tries[job.job_id] -= 1  # nothing is sent, so this is no try
            raise RunComfyUnavailableError("it is down")
        try:
            echo_bytes = self.context.kept.sent_bytes(job)
            cost = await self.context.runcomfy.cost(job.request_id or "", echo_bytes=echo_bytes)
        except BotError as error:
            if isinstance(error, RunComfyUnavailableError) and self._due.tries[job.job_id] < _TRIES:
                raise
            _log.info("RunComfy does not report its cost: %s", error)
            cost = None
        model = self.catalogue.known.get(job.model_id)
        highest = await self.costs.record_cost(job, cost, model.highest_multiple if model else None)
        if cost is not None:
            _log.info("cost $%s", cost)
        if cost is not None and highest is not None:
            expected = highest * job.image_count
            values = {"model": job.model_id, "cost": f"{cost:.2f}", "highest": f"{expected:.2f}"}
            await self.notices.warn_once(
                f"warned of costs of {job.model_id}",
                LazyText("cost-unexpected", values),
                f"a cost of ${cost:.2f}, expected at most ${expected:.2f} (by highest_multiple)",
            )

    async def check_budget(self) -> None:
        """Alert the owner once a month, and once more for a changed budget, when most of it is spent.

        Raises:
            BotError: The database doesn't answer.
        """
        budget = self.costs.budget_usd
        if budget is None:
            return
        spent = await self.costs.spent_this_month()
        if spent * 100 >= budget * self.alert_percent:
            await self.notices.warn_once(
                f"warned of a budget of {budget}",
                LazyText("budget-alarm", {"spent": f"{spent:.2f}", "budget": f"{budget:.2f}"}),
                f"${spent:.2f} of this month's ${budget:.2f} (BUDGET_USD) is spent or reserved",
                level=logging.ERROR,
            )
