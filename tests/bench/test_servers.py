"""The benchmark of many servers still runs; no measurement is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench.servers import measure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.soak
async def test_benchmark_measures_a_bot_in_several_servers(tmp_path: Path) -> None:
    found = await measure(tmp_path, servers=5, shards=1)
    assert len(found) == 5
    assert all(value > 0 for value in found.values())
