from __future__ import annotations

import pytest
from discord import Permissions

from bot.discord.requester import may


@pytest.mark.parametrize(
    "right", ["view_channel", "embed_links", "attach_files", "manage_guild", "manage_messages"]
)
def test_a_right_is_had_by_itself_or_as_an_administrator(right: str) -> None:
    assert may(Permissions(**{right: True}), right)
    assert may(Permissions(administrator=True), right)
    everything_else = Permissions.all() & ~Permissions(**{right: True}) & ~Permissions(administrator=True)
    assert not may(everything_else, right)
