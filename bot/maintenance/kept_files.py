"""Limit the folder of pictures that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.jobs.steps.state import StepContext


async def purge_kept_files(context: StepContext) -> None:
    """Delete kept pictures that are too old or take too much space; see `KeptFiles.purge`.

    Those of unfinished jobs stay, and so do those that they are about to copy.

    Raises:
        OSError: The folder can't be read.
    """
    live = set()
    for job in await context.jobs.unfinished():
        live |= {job.job_id, *(file.kept.partition("/")[0] for file in job.input_files if file.kept)}
    await context.kept.purge(live, now=context.clock.now())
