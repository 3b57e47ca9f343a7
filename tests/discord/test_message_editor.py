"""The edits of one message, in virtual time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord.job_message import MessageEditor
from tests.clocks import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

APART = 3.0


class Message:
    """Records each edit with its begin and end, in seconds since the message was created."""

    def __init__(self) -> None:
        self.edits = MessageEditor()
        self.made_at = self.clock()
        self.sent: list[tuple[str, float, float]] = []
        self.in_flight = 0

    @staticmethod
    def clock() -> float:
        return asyncio.get_running_loop().time()

    @property
    def states(self) -> list[str]:
        return [state for state, _, _ in self.sent]

    def edit(
        self, state: str, *, takes: float = 0.0, error: Exception | None = None
    ) -> Callable[[], Coroutine[object, object, str]]:
        async def send() -> str:
            self.in_flight += 1
            assert self.in_flight == 1
            began = self.clock() - self.made_at
            await asyncio.sleep(takes)
            self.in_flight -= 1
            self.sent.append((state, began, self.clock() - self.made_at))
            if error:
                raise error
            return f"sent {state}"

        return send

    def show(self, state: str, *, takes: float = 0.0, error: Exception | None = None) -> None:
        self.edits.queue(state, self.edit(state, takes=takes, error=error))


def test_change_is_sent() -> None:
    async def main() -> None:
        message = Message()
        message.show("painting")
        await asyncio.sleep(APART)
        assert message.states == ["painting"]

    run_in_virtual_time(main())


def test_current_state_is_not_sent_again() -> None:
    async def main() -> None:
        message = Message()
        message.show("waiting")
        await asyncio.sleep(10)
        message.show("waiting")
        await asyncio.sleep(10)
        message.show("painting")
        await asyncio.sleep(10)
        message.show("painting")
        await asyncio.sleep(10)
        message.show("waiting")
        await asyncio.sleep(10)
        assert message.states == ["waiting", "painting", "waiting"]

    run_in_virtual_time(main())


def test_newest_state_replaces_pending_ones() -> None:
    async def main() -> None:
        message = Message()
        message.show("place 9")
        await asyncio.sleep(APART)
        for place in (8, 7, 6):
            message.show(f"place {place}")
        await asyncio.sleep(20)
        assert message.states == ["place 9", "place 6"]

    run_in_virtual_time(main())


def test_reverted_change_is_not_sent() -> None:
    async def main() -> None:
        message = Message()
        message.show("place 9")
        await asyncio.sleep(APART)
        message.show("place 8")
        message.show("place 9")
        await asyncio.sleep(20)
        assert message.states == ["place 9"]

    run_in_virtual_time(main())


def test_interval_starts_at_the_end_of_the_previous_edit() -> None:
    async def main() -> None:
        message = Message()
        message.show("place 9", takes=5)
        await asyncio.sleep(APART + 1)
        message.show("place 8")
        await asyncio.sleep(20)
        (_, _, ended), (_, began, _) = message.sent
        assert began - ended == pytest.approx(APART)

    run_in_virtual_time(main())


def test_failed_edit_is_sent_again_when_queued_again() -> None:
    async def main() -> None:
        message = Message()
        message.show("painting", error=aiohttp.ClientConnectionError("gone"))
        await asyncio.sleep(10)
        message.show("painting")
        await asyncio.sleep(10)
        assert message.states == ["painting", "painting"]

    run_in_virtual_time(main())


def test_state_is_sent_again_after_a_lost_response() -> None:
    async def main() -> None:
        message = Message()
        message.show("painting")
        await asyncio.sleep(10)
        message.show("down", error=aiohttp.ServerDisconnectedError())  # which Discord may have taken
        await asyncio.sleep(10)
        message.show("painting")
        await asyncio.sleep(10)
        assert message.states == ["painting", "down", "painting"]

    run_in_virtual_time(main())


def test_failed_edit_does_not_stop_the_next() -> None:
    async def main() -> None:
        message = Message()
        message.show("place 9", takes=5, error=aiohttp.ClientConnectionError("gone"))
        await asyncio.sleep(APART + 1)
        message.show("painting")
        await asyncio.sleep(20)
        assert message.states == ["place 9", "painting"]

    run_in_virtual_time(main())


class TestLast:
    def test_is_sent_at_once_and_returns_the_response(self) -> None:
        async def main() -> None:
            message = Message()
            assert await message.edits.send_final(message.edit("done")) == "sent done"
            ((state, *moments),) = message.sent
            assert state == "done"
            assert moments == pytest.approx([0, 0], abs=1e-6)

        run_in_virtual_time(main())

    def test_waits_for_the_edit_in_flight_and_replaces_the_pending_one(self) -> None:
        async def main() -> None:
            message = Message()
            message.show("painting", takes=30)
            await asyncio.sleep(APART + 1)
            assert message.in_flight == 1
            message.show("place 1")
            await message.edits.send_final(message.edit("done"))
            await asyncio.sleep(20)
            assert message.states == ["painting", "done"]
            (_, _, ended), (_, began, _) = message.sent
            assert began == pytest.approx(ended)

        run_in_virtual_time(main())

    def test_follows_a_failed_edit_in_flight(self) -> None:
        async def main() -> None:
            message = Message()
            message.show("painting", takes=5, error=TimeoutError())
            await asyncio.sleep(APART + 1)
            await message.edits.send_final(message.edit("done"))
            assert message.states == ["painting", "done"]

        run_in_virtual_time(main())

    def test_no_state_follows(self) -> None:
        async def main() -> None:
            message = Message()
            message.show("painting")
            await message.edits.send_final(message.edit("done"))
            message.show("place 1")
            await asyncio.sleep(20)
            assert message.states[-1] == "done"

        run_in_virtual_time(main())

    def test_raises_and_can_be_retried(self) -> None:
        async def main() -> None:
            message = Message()
            with pytest.raises(OSError, match="gone"):
                await message.edits.send_final(message.edit("done", error=OSError("gone")))
            assert await message.edits.send_final(message.edit("done")) == "sent done"
            (_, _, ended), (_, began, _) = message.sent
            assert began - ended == pytest.approx(APART)

        run_in_virtual_time(main())


edits = st.tuples(
    st.floats(0, 8),  # seconds until it is queued
    st.sampled_from(["waiting", "place 2", "place 1", "painting"]),
    st.floats(0, 10),  # seconds that Discord takes
    st.booleans(),  # whether it fails
)


@given(st.lists(edits, max_size=12), st.floats(0, 8), st.floats(0, 10))
def test_any_sequence_keeps_the_rules(
    shown: list[tuple[float, str, float, bool]], pause: float, takes: float
) -> None:
    async def main() -> None:
        message = Message()
        for wait, state, lasts, fails in shown:
            await asyncio.sleep(wait)
            message.show(state, takes=lasts, error=OSError("gone") if fails else None)
        await asyncio.sleep(pause)
        under_way = message.in_flight
        sent_before = len(message.sent)
        await message.edits.send_final(message.edit("done", takes=takes))
        await asyncio.sleep(60)
        assert message.states[sent_before + under_way :] == ["done"]
        assert message.in_flight == 0
        for (_, _, ended), (state, began, _) in pairwise(message.sent):
            assert began - ended >= (-1e-6 if state == "done" else APART - 1e-6)

    run_in_virtual_time(main())


@given(st.lists(edits, min_size=1, max_size=12))
def test_newest_state_is_shown_in_the_end(shown: list[tuple[float, str, float, bool]]) -> None:
    async def main() -> None:
        message = Message()
        for wait, state, lasts, _ in shown:
            await asyncio.sleep(wait)
            message.show(state, takes=lasts)
        await asyncio.sleep(60)
        assert message.states[-1] == shown[-1][1]
        assert all(state != after for state, after in pairwise(message.states))

    run_in_virtual_time(main())
