"""The benchmark still runs; no measurement is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench.bench import ROWS, Sizes, run, table

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.soak


async def test_benchmark_measures_both_bots(tmp_path: Path) -> None:
    sizes = Sizes(ones=2, burst=3, steady=2, seconds=0.5, crowd=3, in_flight=3, large=2)
    found = await run(tmp_path, sizes)
    assert set(found["bot"]) == set(ROWS)
    alone = {"resume", "large", "large all", "blocked", "blocked often", "queued p99", "queued refused"}
    assert set(found["bare"]) == set(ROWS) - alone
    assert 0 < found["bot"]["large"] < 400
    assert found["bot"]["crowd refused"] == found["bot"]["queued refused"] == 0
    assert min(found["bot"][name] for name in ("one p50", "post p50", "polls", "full", "resume")) > 0
    assert len(table(found, sizes).splitlines()) == 1 + len(ROWS)
