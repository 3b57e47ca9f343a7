"""What jobs and maintenance need from Discord, implemented by `bot.discord.delivery`."""

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
    """The displayed state of a live job that is not in its row."""

    queue_position: int | None = None
    """None if unknown."""
    typical_seconds: float | None = None
    """The median duration of recent jobs like it; None if unknown."""
    is_provider_down: bool = False
    """Whether it waits because RunComfy is down."""
    is_paused: bool = False
    """Whether it waits because the owner has paused spending."""


class Delivery(Protocol):
    """Shows a job in its message."""

    def show_progress(self, job: Job, progress: Progress) -> None:
        """Show an intermediate state soon; a newer one replaces it. Returns at once and never raises."""

    async def send_outcome(self, job: Job) -> None:
        """Show the end of a job that has no images.

        Raises:
            DeliveryError: Discord refuses it.
        """

    async def send_images(self, job: Job, files: Sequence[Path], before: Path | None = None) -> int:
        """Post images in the job's message, and the picture `before` them, if there is one; idempotent.

        Returns:
            How many of them people can see.

        Raises:
            DeliveryError: Discord accepts none of them.
        """

    async def withdraw(self, job: Job) -> None:
        """Show that a job was refunded, and remove its button for collecting; never raises.

        Does nothing if Discord refuses, such as for a message that is gone, private or too old.
        """

    async def find_response(self, job: Job) -> int | None:
        """Return the id of the job's first response, if it arrived without being confirmed."""

    async def warn_owner(self, text: LazyText) -> None:
        """Send the bot's owner a direct message, if Discord allows; never raises."""

    def log_end(self, job: Job, delivered: int) -> None:
        """Record a delivery or a cancel in the server's audit log. Returns at once and never raises."""

    def discard(self, job_id: str) -> None:
        """Forget what was shown of a job, and drop pending progress, which must not replace its end."""

    def adopt(self, job_id: str) -> None:
        """Expect that an earlier process may have posted files of a job."""

    def abandon(self, job_id: str) -> None:
        """Show nothing more of a job, because another process does."""

    async def finish(self) -> None:
        """Wait for edits in flight, as the bot stops."""
