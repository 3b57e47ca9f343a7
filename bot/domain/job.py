"""Jobs, their states and the errors after which images can be collected."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.quota import Period

OptionValue: TypeAlias = str | int | float | bool
Input: TypeAlias = dict[str, OptionValue]


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """A picture that goes into a job; the step `prepare` reads it from `kept`, or else from `url`."""

    option: str
    """The property of the model's schema that takes it."""
    is_list: bool = False
    """Whether that property takes a list of pictures."""
    url: str | None = None
    """Where Discord serves it, for a day at most."""
    kept: str | None = None
    """The kept file that it is a copy of, as "<job_id>/<name>"."""
    name: str | None = None
    """Its own name among the job's kept files; None until it was prepared."""
    is_spoiler: bool = False
    """Whether it is hidden until clicked where it comes from."""


class JobStatus(StrEnum):
    """A job's state; `in_queue` and `in_progress` are RunComfy's."""

    WAITING = "waiting"
    """Reserved; nothing was sent to RunComfy yet."""
    SUBMITTING = "submitting"
    """The one POST may have been made; without a request_id its outcome is unknown."""
    IN_QUEUE = "in_queue"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    """All or some of the images are posted in Discord."""
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job no longer changes by itself."""
        return self in {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED}


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row of `jobs`, which makes at most one RunComfy request.

    Fields that it shares with `Requester` mean the same; after a refetch, they are those of its interaction.
    """

    job_id: str
    parent_id: str | None
    interaction_id: int
    """The interaction that created the job; unique, so that a replayed one creates none."""
    guild_id: int
    channel_id: int
    user_id: int
    """0 once the person was taken out of the row; see `text_removed_at`."""
    locale: str
    token: str | None
    """None once the end is shown in Discord."""
    interaction_at: datetime
    file_limit: int
    model_id: str
    input: Input
    """All values but `input_files`."""
    text_option: str = "prompt"
    """The option in `input` that says what to generate; kept, because the model can be gone."""
    image_count: int
    """How many images were requested, and reserved from every limit."""
    credits_each: Decimal = Decimal(1)
    """Credits of one image; a 1K image has one."""
    usd_each: Decimal | None = None
    """Expected cost of one image to the owner, in US dollars; None if no price was known."""
    cost: Decimal | None = None
    """RunComfy's charge in US dollars; None until it is known."""
    applied_limits: str = ""
    """The member's limits at the reservation; see `Limits.summary`."""
    credits_left: Decimal | None = None
    """What the tightest of these and the server's shared limits then left; None if none applied."""
    credits_left_per: Period | None = None
    """The period of that limit."""
    status: JobStatus
    created_at: datetime
    input_files: tuple[InputFile, ...] = ()
    """In the order in which the model gets them."""
    preset: str | None = None
    """Which of the fixed instructions the prompt is, such as `upscale`; None if the member wrote it."""
    is_private: bool = False
    """Whether only its user sees the job's message."""
    is_spoiler: bool = False
    """Whether the images are hidden until clicked."""
    origin: str | None = None
    """Channel and message id, "1/2", of the message it comes from, if Discord doesn't show that above it."""
    message_id: int | None = None
    """None until Discord has confirmed the first response, and once the job is deleted."""
    delivered: int = 0
    """How many images are in Discord."""
    made: int | None = None
    """How many images RunComfy has made; None until it is known."""
    refunded: int = 0
    """How many images the member was refunded for."""
    budget_refunded: int = 0
    """How many of these the owner's budget was refunded for too, because RunComfy did not make them."""
    request_id: str | None = None
    error: str | None = None
    """The text key of the failure, or of why some images of a successful job are missing."""
    error_values: dict[str, str | int] = field(default_factory=dict)
    cancelled_by: int | None = None
    """Who pressed Cancel, possibly before the request could be cancelled."""
    started_at: datetime | None = None
    """When RunComfy was first seen generating."""
    ended_at: datetime | None = None
    next_check_at: datetime | None = None
    """When to check again for the images of a failed job."""
    check_count: int = 0
    """How many such checks were made."""
    uncollected_since: datetime | None = None
    """When the member was charged for images that did not arrive and can be collected."""
    next_cost_check_at: datetime | None = None
    """When to fetch the job's cost from RunComfy."""
    deleted_at: datetime | None = None
    """When its images were deleted; only its row remains, without a message."""
    deleted_by: int | None = None
    text_removed_at: datetime | None = None
    """When prompt and options were removed; `input` and `input_files` are empty since then."""

    @property
    def is_prepared(self) -> bool:
        """Whether all pictures that go into it are among its kept files."""
        return all(file.name for file in self.input_files)

    @property
    def prompt(self) -> str:
        """The text that says what to generate."""
        return str(self.input.get(self.text_option, ""))

    @property
    def credits(self) -> Decimal:
        """The job's total credits."""
        return self.image_count * self.credits_each

    @property
    def expected_usd(self) -> Decimal:
        """The cost that counts in the owner's budget: as RunComfy reported it, else as expected."""
        if self.cost is not None:
            return self.cost
        return (self.image_count - self.budget_refunded) * (self.usd_each or Decimal(0))

    @property
    def is_fetchable(self) -> bool:
        """Whether RunComfy may still have images that were never delivered."""
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
"""Errors after which images that did not arrive can be collected; `jobs.sql` lists them too."""

TIMED_OUT = "generation-timeout"
"""The only one of them after which there might be no images."""

NOT_COLLECTED = "not-collected"
"""The error of a job whose images can no longer be collected and were refunded."""

_UNSURE = frozenset({"submission-unknown", "unexpected"})  # RunComfy's response to the POST is not known
_EXPIRED = frozenset({"request-not-found", NOT_COLLECTED})  # images expire, their cost does not


def may_have_cost(error: str | None, *, request_id: str | None) -> bool:
    """Return whether the owner may have paid for a job that failed like this; it then stays in the budget."""
    return error in (_UNSURE if request_id is None else RECOVERABLE_ERRORS | _EXPIRED)
