"""Two processes that start at the same time take turns where Discord wants one after the other."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from tests.e2e.processes import prepare_processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import PostgresServer


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.new_database() as url:
        yield url


@pytest.mark.parametrize("max_concurrency", [1, 2])
async def test_shards_identify_in_turns(
    tmp_path: Path, postgres_server: PostgresServer, url: str, *, max_concurrency: int
) -> None:
    """Four shards, of which each bucket can identify once in five seconds."""
    async with prepare_processes(tmp_path, postgres_server, url, shards=4) as both:
        gateway = both.env.discord.gateway
        gateway.max_concurrency = max_concurrency
        await asyncio.gather(both.first.start(), both.second.start())
        await both.env.discord.until(lambda: len(gateway.identified) == 4, timeout=90)
        assert gateway.too_soon == []
        for bucket in range(max_concurrency):
            moments = [at for at, shard in gateway.identified if shard % max_concurrency == bucket]
            assert all(after - before >= 5 for before, after in itertools.pairwise(moments))
        assert {shard for _, shard in gateway.identified} == {0, 1, 2, 3}
        if max_concurrency > 1:
            assert (
                gateway.identified[-1][0] - gateway.identified[0][0] < 15
            )  # three turns, one after the other
