"""Builds the database of a large server after a year, on the schema of the bot's migrations."""

from __future__ import annotations

import json
import math
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from typing import TYPE_CHECKING, TypeAlias

from bot.domain.job import JobStatus
from bot.storage.columns import to_epoch_ms
from bot.storage.sqlite import open_database
from tests.factories import GUILD, MODEL_ID
from tests.storage.ledger import SPENT_BY_JOBS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Cell: TypeAlias = str | int | None

FIRST_MEMBER = 800_000_000_000_000_000
_FIRST_INTERACTION = 700_000_000_000_000_000
_YEAR, _DAY = 365 * 86_400_000, 86_400_000  # milliseconds
_AT_ONCE = 10_000
_SCATTER = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd, so that the ids are unique and spread like random ones
_OUTCOMES = (
    (JobStatus.SUCCEEDED, None),
    (JobStatus.FAILED, "generation-failed"),
    (JobStatus.CANCELLED, None),
)
_WORDS = (
    "a fox",
    "in the snow",
    "at dawn,",
    "oil on canvas,",
    "wide angle,",
    "soft light,",
    "highly detailed",
)


@dataclass(frozen=True)
class Size:
    """The amount of data; all members are on one server."""

    jobs: int
    members: int

    @property
    def weights(self) -> list[float]:
        """Return how often each member uses the bot; a few do a thousand times as often as others."""
        return [(rank + 20) ** -0.9 for rank in range(self.members)]


async def build(path: Path, size: Size) -> None:
    """Build a database whose year ends now and whose counters match its jobs."""
    async with open_database(path):
        pass  # only to run the migrations
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            "pragma synchronous = off; pragma journal_mode = off; pragma cache_size = -500000;"
        )
        indexes = connection.execute("select name, sql from sqlite_master where type = 'index' and sql <> ''")
        later = dict(indexes.fetchall())
        connection.execute("begin")
        for name in later:
            connection.execute(f"drop index {name}")
        _insert(connection, size)
        for statement in later.values():
            connection.execute(statement)
        connection.execute(f"insert into usage {SPENT_BY_JOBS}")
        connection.execute("commit")
        connection.executescript("pragma synchronous = full; pragma journal_mode = wal;")


def _insert(connection: sqlite3.Connection, size: Size) -> None:
    rows = _rows(size)
    first = next(rows)
    columns = _columns(connection, set(first))
    values = ", ".join(f":{name}" for name in columns)
    statement = f"insert into jobs ({', '.join(columns)}) values ({values})"  # noqa: S608 (names of the schema)
    connection.execute(statement, first)
    while some := list(islice(rows, 100_000)):
        connection.executemany(statement, some)


def _columns(connection: sqlite3.Connection, known: set[str]) -> list[str]:
    """Return the columns of `jobs`; fail if the schema has one that is unknown here."""
    found: list[str] = []
    for _, name, _, is_needed, default, is_key in connection.execute("pragma table_info(jobs)"):
        if name in known:
            found.append(name)
        elif is_key or (is_needed and default is None):
            raise SystemExit(f"jobs.{name} is new: add it to tests/bench/building.py")
    return found


def _rows(size: Size) -> Iterator[dict[str, Cell]]:
    dice = random.Random(size.jobs)
    inputs = [_input(dice) for _ in range(1_000)]
    cumulative = list(accumulate(size.weights))
    members = range(FIRST_MEMBER, FIRST_MEMBER + size.members)
    begin = to_epoch_ms(datetime.now(UTC) - timedelta(days=365))
    for start in range(0, size.jobs, _AT_ONCE):
        count = min(_AT_ONCE, size.jobs - start)
        chosen = zip(
            dice.choices(members, cum_weights=cumulative, k=count),
            dice.choices(inputs, k=count),
            dice.choices(_OUTCOMES, (92, 6, 2), k=count),
            dice.choices((50, 100, 100, 100, 150, 200), k=count),
            strict=True,
        )
        for number, (user_id, (images, text), outcome, credits_each) in enumerate(chosen, start):
            at = begin + _moment((number + dice.random()) / size.jobs)
            row = _row(number, at, images, outcome, credits_each)
            yield row | {"user_id": user_id, "input": text, "image_count": images}


def _input(dice: random.Random) -> tuple[int, str]:
    images = dice.choice((1, 1, 1, 2, 4))
    prompt = " ".join(dice.choices(_WORDS, k=dice.randint(1, 30)))
    return images, json.dumps({"prompt": prompt, "seed": dice.getrandbits(31), "num_images": images})


def _moment(part: float) -> int:
    """Return a random time in the year; evenings are seven times as busy as mornings."""
    steady = part * _YEAR
    return int(steady + 0.12 * _DAY * math.sin(2 * math.pi * steady / _DAY))


def _row(
    number: int, at: int, images: int, outcome: tuple[JobStatus, str | None], credits_each: int
) -> dict[str, Cell]:
    status, error = outcome
    refunded = 0 if status is JobStatus.SUCCEEDED else images
    usd_each = credits_each * 400
    return {
        "job_id": f"{number * _SCATTER % 2**128:032x}",
        "parent_id": None,
        "interaction_id": _FIRST_INTERACTION + number,
        "guild_id": GUILD,
        "channel_id": GUILD + number % 50,
        "locale": "en-US",
        "token": None,
        "interaction_at": at,
        "file_limit": 10 * 1024 * 1024,
        "message_id": _FIRST_INTERACTION + number + 1,
        "model_id": MODEL_ID,
        "delivered": images - refunded,
        "refunded": refunded,
        "budget_refunded": refunded,
        "status": status,
        "request_id": f"{number * _SCATTER % 2**127:032x}",
        "error": error,
        "error_values": "{}",
        "created_at": at,
        "started_at": at + 4_000,
        "ended_at": at + 30_000,
        "credits_each": credits_each,
        "usd_each": usd_each,
        "cost": usd_each * (images - refunded),
        "applied_limits": "owner 10/day",
    }
