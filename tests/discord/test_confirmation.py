"""Open questions about a request's cost are few and short-lived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.discord import confirmation
from tests.discord.small_environment import small_environment

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from playground.discord import Message


async def test_oldest_question_makes_room_and_each_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmation, "_MAX_OPEN", 1)
    async with small_environment(tmp_path, monkeypatch) as env:
        alice = env.discord.members["alice"]

        async def answer(question: Message) -> str:
            return (await (await alice.press(question, "Generate")).response()).text

        async def ask() -> Message:
            return await (
                await alice.command("imagine", prompt="a fox", num_images=4, resolution="2K")
            ).response()

        with monkeypatch.context() as patch:
            patch.setattr(confirmation, "_LIFETIME_SECONDS", 0.0)
            assert "expired" in await answer(await ask())
        first, second = await ask(), await ask()
        assert "expired" in await answer(first)
        assert "6 credits · 4 left today" in await answer(second)
