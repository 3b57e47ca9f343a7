"""The polling benchmark still runs; no measurement is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench.polling import ROWS, Sizes, run, table

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.soak


async def test_polling_benchmark_measures_both_bots(tmp_path: Path) -> None:
    sizes = Sizes(waves=1, jobs=2, median=0.5, burst=3, bursts=1)
    found = await run(tmp_path, sizes)
    assert set(found["bot"]) == set(found["bare"]) == set(ROWS)
    assert all(number > 0 for numbers in found.values() for number in numbers.values())
    assert len(table(found, sizes).splitlines()) == 1 + len(ROWS)
