"""Limit the folder of pictures that are kept, and remove those of deleted jobs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.job import Job
    from bot.jobs.steps.state import StepContext
    from bot.storage.messages import MessageStore


async def purge_kept_files(context: StepContext) -> None:
    """Delete kept pictures that are too old or take too much space; see `KeptFiles.purge`.

    Those of unfinished jobs stay, and so do those that they are about to copy.

    Raises:
        OSError: The folder can't be read.
    """
    live = jobs_in_use(await context.jobs.unfinished())
    await context.kept.purge(live, now=context.clock.now())


async def remove_deleted_files(context: StepContext, messages: MessageStore) -> None:
    """Remove the files of deleted jobs: a process on another machine, without these files, deleted them.

    Raises:
        BusyError: The database doesn't answer.
    """
    longest = max(context.kept.max_age, context.files.max_age)
    deleted = await messages.jobs_deleted_since(context.clock.now() - longest)
    for job_id in deleted & await asyncio.to_thread(context.kept.stored_jobs):
        await context.files.remove(job_id)
        await context.kept.remove(job_id)


def jobs_in_use(unfinished: Iterable[Job]) -> set[str]:
    """Return the ids of unfinished jobs and of those whose pictures they are about to copy."""
    live = set()
    for job in unfinished:
        live |= {job.job_id, *(file.kept.partition("/")[0] for file in job.input_files if file.kept)}
    return live
