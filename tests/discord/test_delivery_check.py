"""Visible images count as delivered, even if Discord never confirms them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.discord.small_environment import small_environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("body", ["", {}, "<html>welcome</html>"])
async def test_visible_images_count_without_a_valid_response(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: Any
) -> None:
    async with small_environment(tmp_path, monkeypatch) as env:
        env.discord.inject_fault("edit_followup", 200, body, is_after=True, times=99)
        interaction = await env.discord.members["alice"].command("imagine", prompt="a fox", resolution="0.5K")
        message = await interaction.response()
        (row,) = await env.settled()
        assert (row["status"], row["refunded"]) == ("succeeded", 0)
        assert len(message.attachments) == 1
