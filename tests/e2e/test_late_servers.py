"""Permissions before Discord has sent the server, as right after a start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.environment import open_environment
from tests.e2e.settings_panel import store_settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_roles_apply_before_the_guild_is_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After IDENTIFY, servers arrive one by one, and their interactions in between."""
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        painters = next(role for role in env.bob.roles if role.name == "Painters")
        store_settings(env, allowed_roles=[int(painters.id)])
        await env.wait_for_text(await env.imagine(env.bob, resolution="0.5K"), "✅")
        dispatch = env.discord.gateway.dispatch
        kept: list[dict[str, Any]] = []

        def late(event: dict[str, Any], *to: Any) -> None:
            if event["t"] == "GUILD_CREATE":
                kept.append(event)
            else:
                dispatch(event, *to)

        monkeypatch.setattr(env.discord.gateway, "dispatch", late)
        env.discord.gateway.drop(is_resumable=False)
        await env.discord.until(lambda: kept)
        message = await env.imagine(env.bob, resolution="0.5K")
        await env.wait_for_text(message, "✅")
