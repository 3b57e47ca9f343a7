"""The server benchmark still runs with the current schema; no measurement is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.building import Size, build
from tests.bench.server import measure
from tests.storage.ledger import differences, rows

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_server_benchmark_measures_a_large_guild(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, size = tmp_path / "bot.db", Size(jobs=2_000, members=50)
    await build(path, size)
    [(jobs, members, days)] = rows(
        path,
        "select count(*), count(distinct user_id), (max(created_at) - min(created_at)) / 86400000 from jobs",
    )
    assert (jobs, members, days) == (2_000, 50, 364)
    assert differences(path) == set()
    assert rows(path, "pragma integrity_check") == [("ok",)]
    assert rows(path, "pragma journal_mode") == [("wal",)]
    await measure(path, size, rounds=10)
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line[:32].strip() for line in lines[:3]] == ["/usage", "its chart", "a reservation"]
    assert all(float(number) > 0 for line in lines for number in line[32:].split())
    assert differences(path) == set()
    assert rows(path, "select count(*) from jobs") == [(2_030,)]
