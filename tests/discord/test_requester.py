from __future__ import annotations

import pytest
from discord import Permissions

from bot.discord.requester import has_permission


@pytest.mark.parametrize(
    "right", ["view_channel", "embed_links", "attach_files", "manage_guild", "manage_messages"]
)
def test_permission_is_granted_by_itself_or_by_administrator(right: str) -> None:
    assert has_permission(Permissions(**{right: True}), right)
    assert has_permission(Permissions(administrator=True), right)
    everything_else = Permissions.all() & ~Permissions(**{right: True}) & ~Permissions(administrator=True)
    assert not has_permission(everything_else, right)
