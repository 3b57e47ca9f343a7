"""Jobs, their states and the errors after which images can be collected."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

OptionValue: TypeAlias = str | int | float | bool
Input: TypeAlias = dict[str, OptionValue]


class JobStatus(StrEnum):
    """Where a job is on its way; the words between are RunComfy's own."""

    WAITING = "waiting"
    """Accepted and reserved; nothing was sent to RunComfy yet."""
    SUBMITTING = "submitting"
    """The one POST is about to be made or was made; without a request_id its fate is unknown."""
    IN_QUEUE = "in_queue"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    """Posted in Discord, all images or some."""
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing happens to the job any more by itself."""
        return self in {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED}


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row of `jobs`: an order that lives through everything, and makes at most one RunComfy request.

    The fields that it shares with Requester mean the same; a fetched job answers a later interaction.
    """

    job_id: str
    parent_id: str | None
    interaction_id: int
    """The interaction that ordered; unique, so that a replayed one orders nothing."""
    guild_id: int
    channel_id: int
    user_id: int
    locale: str
    token: str | None
    """None when the end has been told: nothing is left to answer with it."""
    interaction_at: datetime
    file_limit: int
    model_id: str
    input: Input
    image_count: int
    """How many images were ordered, and so reserved from every limit that binds."""
    credits_each: Decimal = Decimal(1)
    """What one of the images counts, in credits; a 1K image counts one."""
    usd_each: Decimal | None = None
    """What one of them was expected to cost the owner, in US dollars; None where no price was known."""
    cost: Decimal | None = None
    """What RunComfy says that the job has cost, in US dollars; None until it says so."""
    applied_limits: str = ""
    """Whose limits held for the member when they ordered, and which; see `Limits.summary`."""
    status: JobStatus
    created_at: datetime
    is_private: bool = False
    """Whether whoever ordered is the only one who sees the job's message."""
    is_spoiler: bool = False
    """Whether the images are hidden until somebody clicks them."""
    message_id: int | None = None
    """None until Discord has confirmed the first response, and once the job is deleted."""
    delivered: int = 0
    """How many images stand in Discord."""
    made: int | None = None
    """How many images RunComfy has made; None until its answer says so."""
    refunded: int = 0
    """How many images the member was refunded for."""
    budget_refunded: int = 0
    """How many of them the owner's budget got back too: those that RunComfy did not make."""
    request_id: str | None = None
    error: str | None = None
    """The text key of the failure; in a job that succeeded, of why some of its images are missing."""
    error_values: dict[str, str | int] = field(default_factory=dict)
    cancelled_by: int | None = None
    """Who pressed Cancel, possibly before the request could be cancelled."""
    started_at: datetime | None = None
    """When RunComfy was first seen painting."""
    ended_at: datetime | None = None
    next_check_at: datetime | None = None
    """When the images of a failed job are to be looked for again."""
    check_count: int = 0
    """How often that was done."""
    uncollected_since: datetime | None = None
    """Since when the member has been charged for images that did not arrive and can be collected."""
    next_cost_check_at: datetime | None = None
    """When to ask RunComfy what the job has cost, where it has not said so yet."""

    deleted_at: datetime | None = None
    """When its images were taken away for good; only its row is left, without a message."""
    deleted_by: int | None = None

    @property
    def credits(self) -> Decimal:
        """What the whole order counts, in credits."""
        return self.image_count * self.credits_each

    @property
    def expected_usd(self) -> Decimal:
        """What the owner's budget counts: the cost where RunComfy has said it, else what was expected."""
        if self.cost is not None:
            return self.cost
        return (self.image_count - self.budget_refunded) * (self.usd_each or Decimal(0))

    @property
    def is_fetchable(self) -> bool:
        """Whether RunComfy may still hold images that were never delivered."""
        is_wanted = self.status.is_final and self.deleted_at is None
        return is_wanted and self.request_id is not None and self.error in RECOVERABLE_ERRORS

    @property
    def is_collected(self) -> bool:
        """Whether images that arrive now were missing at an earlier end of the job."""
        return self.uncollected_since is not None or self.refunded > 0


@dataclass(frozen=True)
class MessageRef:
    """The channel and id of a message."""

    channel_id: int
    message_id: int


RECOVERABLE_ERRORS = frozenset(
    {"generation-timeout", "output-unavailable", "delivery-failed", "operator", "unexpected"}
)
"""Errors after which images that did not arrive can be collected; the SQL of `jobs` lists them too."""

TIMED_OUT = "generation-timeout"
"""The only one of them after which it is still open whether there will be images."""

NOT_COLLECTED = "not-collected"
"""The error of a job whose images can no longer be collected and were refunded."""

_UNSURE = frozenset({"submission-unknown", "unexpected"})  # where RunComfy's answer to an order is not known
_EXPIRED = frozenset({"request-not-found", NOT_COLLECTED})  # images expire, their cost does not


def may_have_cost(error: str | None, *, request_id: str | None) -> bool:
    """Whether the owner may have paid for an order that failed so: its images then stay in the budget."""
    return error in (_UNSURE if request_id is None else RECOVERABLE_ERRORS | _EXPIRED)
