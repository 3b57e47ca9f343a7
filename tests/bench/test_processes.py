"""The benchmark of one and two processes still runs; no measurement is checked."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.bench.processes import ROWS, SETUPS, Sizes, run, table


@pytest.mark.soak
@pytest.mark.usefixtures("postgres_server")  # is skipped without PostgreSQL
async def test_benchmark_measures_all_setups() -> None:
    sizes = Sizes(orders=4, burst=4, rounds=1, in_flight=4)
    with tempfile.TemporaryDirectory() as folder:
        found = await run(Path(folder), sizes)
    refused = {"orders refused", "burst refused"}
    for setup in SETUPS:
        assert set(found[setup]) == set(ROWS) - ({"takeover"} if setup != SETUPS[-1] else set())
        assert all(value > 0 for name, value in found[setup].items() if name not in refused)
        assert found[setup]["orders refused"] == found[setup]["burst refused"] == 0
    assert len(table(found, sizes).splitlines()) == 1 + len(ROWS)
