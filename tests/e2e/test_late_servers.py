"""Who may what while Discord has not told of the server yet, as after a start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.panel import rule
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_roles_count_before_discord_has_told_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an IDENTIFY servers come one by one, and interactions with them come in between."""
    async with open_world(tmp_path, runcomfy={"seconds": 0}) as world:
        painters = next(role for role in world.bob.roles if role.name == "Painters")
        rule(world, allowed_roles=[int(painters.id)])
        await world.ends(await world.imagine(world.bob, resolution="0.5K"), "✅")
        dispatch = world.discord.gateway.dispatch
        kept: list[dict[str, Any]] = []

        def late(event: dict[str, Any]) -> None:
            if event["t"] == "GUILD_CREATE":
                kept.append(event)
            else:
                dispatch(event)

        monkeypatch.setattr(world.discord.gateway, "dispatch", late)
        world.discord.drop_gateway(is_resumable=False)
        await world.discord.until(lambda: kept)
        message = await world.imagine(world.bob, resolution="0.5K")
        await world.ends(message, "✅", timeout=5)
