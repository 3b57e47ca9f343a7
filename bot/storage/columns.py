"""How values are stored: times and amounts as integers, a job as a row of `jobs`."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from bot.domain.job import InputFile, Job, JobStatus
from bot.domain.quota import Period

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bot.storage.database import Row

_log = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_epoch_ms(time: datetime) -> int:
    """Return whole milliseconds since 1970 (UTC), rounded down."""
    return (time - _EPOCH) // timedelta(milliseconds=1)


def from_epoch_ms(milliseconds: int) -> datetime:
    """Return the aware UTC time of a number of milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_centicredits(credits: Decimal) -> int:
    """Return credits as whole hundredths."""
    return int(credits * 100)


def from_centicredits(centicredits: int) -> Decimal:
    """Return the credits of a number of hundredths."""
    return Decimal(centicredits) / 100


def to_microdollars(usd: Decimal) -> int:
    """Return US dollars as whole millionths, rounded up so that a budget is never exceeded."""
    return int((usd * 1_000_000).to_integral_value(ROUND_CEILING))


def from_microdollars(microdollars: int) -> Decimal:
    """Return the US dollars of a number of millionths."""
    return Decimal(microdollars) / 1_000_000


def input_files_to_column(files: Iterable[InputFile]) -> str:
    """Return the JSON of a job's pictures."""
    return json.dumps([asdict(file) for file in files])


def _input_files_from_column(text: str) -> tuple[InputFile, ...]:
    return tuple(InputFile(**each) for each in json.loads(text))


_FROM_COLUMN: dict[str, Callable[[Any], Any]] = {
    **{field.name: from_epoch_ms for field in fields(Job) if "datetime" in str(field.type)},
    **dict.fromkeys(("input", "error_values"), json.loads),
    **dict.fromkeys(("usd_each", "cost"), from_microdollars),
    **dict.fromkeys(("is_private", "is_spoiler"), bool),
    **dict.fromkeys(("credits_each", "credits_left"), from_centicredits),
    "credits_left_per": Period,
    "input_files": _input_files_from_column,
    "status": JobStatus,
}
_NAMES = [field.name for field in fields(Job)]
UNREADABLE = (ValueError, TypeError, ArithmeticError, RecursionError)
"""Errors of `job_from_row` for values that no version of the bot has written."""


def job_from_row(row: Row | None) -> Job | None:
    """Return the job of a row, or None for None."""
    if row is None:
        return None
    values = {name: row[name] for name in _NAMES}  # others are only for the stores, or of a newer version
    for name, convert in _FROM_COLUMN.items():
        if values[name] is not None:
            values[name] = convert(values[name])
    return Job(**values)


def jobs_from_rows(rows: Iterable[Row]) -> list[Job]:
    """Return the jobs of rows; an unreadable row is logged and left out, so that it blocks no others."""
    jobs = []
    for row in rows:
        try:
            jobs.append(job_from_row(row))
        except UNREADABLE as error:
            _log.error("the row of job %s cannot be read and is ignored: %s", row["job_id"], error)
    return [job for job in jobs if job]


def job_to_row(job: Job) -> dict[str, Any]:
    """Return the columns of a new job."""
    row = vars(job) | {"input": json.dumps(job.input), "credits_each": to_centicredits(job.credits_each)}
    row |= {name: to_epoch_ms(row[name]) for name in ("interaction_at", "created_at")}
    row["input_files"] = input_files_to_column(job.input_files)
    row["usd_each"] = None if job.usd_each is None else to_microdollars(job.usd_each)
    row["credits_left"] = None if job.credits_left is None else to_centicredits(job.credits_left)
    return row | {name: int(row[name]) for name in ("is_private", "is_spoiler")}
