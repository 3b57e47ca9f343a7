"""What the core needs from Discord, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.domain.job import Job
    from bot.i18n import LazyText


@dataclass(frozen=True)
class Progress:
    """How a job stands that has not ended, besides what its row says."""

    queue_position: int | None = None
    """Its place in the queue, where it is known."""
    typical_seconds: float | None = None
    """How long jobs like it are painted mostly, where that is known."""
    is_provider_down: bool = False
    """Whether it waits for RunComfy to be back."""


class Delivery(Protocol):
    """Shows a job in its message."""

    def show_progress(self, job: Job, how: Progress) -> None:
        """Show a state that is not the last, soon.

        Returns at once and never raises: a newer state replaces one that was not shown yet.
        """

    async def send_outcome(self, job: Job) -> None:
        """Show the end of a job that has no images.

        Raises:
            DeliveryError: Discord does not take it, for good.
        """

    async def withdraw(self, job: Job) -> None:
        """Take the button for collecting off a job's message, and say what was refunded; never raises.

        Discord may no longer allow that: the message may be gone, private or too old.
        """

    async def send_images(self, job: Job, files: Sequence[Path]) -> int:
        """Post the images in the job's message; posting them twice leaves them there once.

        Returns:
            How many of them people see.

        Raises:
            DeliveryError: Discord takes none of them.
        """

    async def warn_owner(self, text: LazyText) -> None:
        """Tell the owner of the bot something in a direct message, as far as Discord allows; never raises."""

    def log_end(self, job: Job, delivered: int) -> None:
        """So many images were delivered, or the job cancelled: let the server's managers know.

        Returns at once, never raises.
        """

    async def find_response(self, job: Job) -> int | None:
        """The id of the job's message, where the first response has arrived though nobody noted it."""

    async def finish(self) -> None:
        """The bot stops: returns once the edits in flight are through."""

    def discard(self, job_id: str) -> None:
        """The job is over: a state that comes late must not stand above its end."""
