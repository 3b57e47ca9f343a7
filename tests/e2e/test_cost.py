"""What a request costs is shown while it waits, and a large one is confirmed first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from pathlib import Path


async def test_cost_and_credits_left_are_shown_until_generation_starts(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, DEFAULT_QUOTA="10/day") as env:
        env.runcomfy.hold()
        message = await env.imagine(num_images=4, resolution="1K")
        assert "4 credits · 6 left today" in message.text
        await env.wait_for_text(message, "In queue, #1", "4 credits · 6 left today")
        await env.restart()
        edits = len(env.edits(message))
        await env.imagine(env.bob)
        await env.discord.until(lambda: len(env.edits(message)) > edits)
        assert "4 credits · 6 left today" in message.text
        env.runcomfy.release()
        await env.wait_for_text(message, "✅ 4 images")
        assert "left today" not in message.text
