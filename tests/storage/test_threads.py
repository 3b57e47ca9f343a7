"""The threads of the database: whatever happens in one, it goes on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from bot.storage.desk import Thread

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def thread() -> Iterator[Thread]:
    thread = Thread("tried")
    yield thread
    thread.end()


def breaks() -> None:
    raise LookupError("broken")


async def test_calls_are_made_in_their_order(thread: Thread) -> None:
    made: list[int] = []
    for number in range(3):
        thread.soon(partial(made.append, number))
    assert await thread.run(made.copy) == [0, 1, 2]


async def test_what_breaks_is_told_to_who_waits_and_else_to_the_log(
    thread: Thread, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(LookupError):
        await thread.run(breaks)
    assert caplog.text == ""
    thread.soon(breaks)
    assert await thread.run(lambda: "goes on") == "goes on"
    assert "LookupError: broken" in caplog.text


async def test_one_that_has_ended_takes_no_calls(thread: Thread) -> None:
    made: list[int] = []
    thread.soon(lambda: made.append(1))
    thread.end()
    assert made == [1]
    with pytest.raises(RuntimeError, match="ended"):
        thread.soon(breaks)
