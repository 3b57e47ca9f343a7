"""Jobs as rows of the table `jobs`, and back."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from bot.domain.job import Job, JobStatus
from bot.storage.columns import (
    from_centicredits,
    from_epoch_ms,
    from_microdollars,
    to_centicredits,
    to_epoch_ms,
    to_microdollars,
)

if TYPE_CHECKING:
    import sqlite3

_log = logging.getLogger(__name__)
_MOMENTS = (
    "interaction_at",
    "created_at",
    "started_at",
    "ended_at",
    "next_check_at",
    "next_cost_check_at",
    "deleted_at",
    "uncollected_since",
)
_FLAGS = ("is_private", "is_spoiler")
UNREADABLE = (ValueError, TypeError, ArithmeticError, RecursionError)
"""Errors of `job_from_row` for values that no version of the bot has written."""


def job_from_row(row: sqlite3.Row | None) -> Job | None:
    """The job of a row of `jobs`."""
    if row is None:
        return None
    columns = dict(row)
    for name in _MOMENTS:
        columns[name] = None if columns[name] is None else from_epoch_ms(columns[name])
    columns |= {name: json.loads(columns[name]) for name in ("input", "error_values")}
    columns |= {
        name: None if columns[name] is None else from_microdollars(columns[name])
        for name in ("usd_each", "cost")
    }
    columns["credits_each"] = from_centicredits(columns["credits_each"])
    columns |= {name: bool(columns[name]) for name in _FLAGS}
    return Job(**columns | {"status": JobStatus(columns["status"])})


def job_from_row_or_none(row: sqlite3.Row) -> Job | None:
    """The job of a row; None where it cannot be read, since that must keep no other job waiting."""
    try:
        return job_from_row(row)
    except UNREADABLE as error:
        _log.error("the row of job %s cannot be read, and is left alone: %s", row["job_id"], error)
        return None


def job_to_row(job: Job) -> dict[str, Any]:
    """The columns of a new job."""
    row = vars(job) | {"input": json.dumps(job.input), "credits_each": to_centicredits(job.credits_each)}
    row |= {name: to_epoch_ms(row[name]) for name in ("interaction_at", "created_at")}
    row["usd_each"] = None if job.usd_each is None else to_microdollars(job.usd_each)
    return row | {name: int(row[name]) for name in _FLAGS}
