"""/help and the greeting in the real process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.environment import open_environment
from tests.e2e.settings_panel import store_settings

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord.state import Guild
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECTIONS = ("What you can do here", "Your limits", "Credits", "Commands", "Buttons", "Your data")


async def test_help_shows_rules_limits_prices_and_own_commands(env: Environment) -> None:
    elsewhere = env.discord.guild.add_channel("elsewhere")
    member = env.new_member()
    store_settings(
        env,
        allowed_channels=[int(elsewhere.id)],
        highest_resolution="2K",
        most_images=2,
        may_search_web=False,
        loosest_safety=3,
        forbidden_words=["fox"],
    )
    text = (await env.reply_to(member, "help")).strip()
    parts = dict(zip(SECTIONS, text.split("\n\n"), strict=True))
    assert all(part.startswith(f"**{title}**\n") for title, part in parts.items())
    here = parts["What you can do here"]
    assert f"I can't generate images in this channel. Try <#{elsewhere.id}>" in here
    rules = "up to 2 images per request · up to 2K · Safety tolerance: 1, 2, 3 · Web search: off"
    assert f"/imagine, /edit · {rules}" in here
    assert "blocks some words" in here
    assert "1000000 left" in parts["Your limits"]
    assert "0.75 (0.5K) · 1 (1K) · 1.5 (2K) · 2.5 (4K)" in parts["Credits"]
    commands = {each["name"]: each["id"] for each in env.discord.commands}
    assert f"</imagine:{commands['imagine']}> · " in parts["Commands"]
    assert "Who made this" in parts["Commands"]
    assert "/quota" not in parts["Commands"]
    assert "Remove image" not in parts["Commands"]
    assert "a member, then Apps" not in parts["Commands"]


async def test_help_of_a_manager_without_rules_in_russian(env: Environment) -> None:
    store_settings(env)
    manager = env.new_member(is_manager=True)
    manager.locale = "ru"
    text = await env.reply_to(manager, "help")
    assert "Каналы: все\n/imagine, /edit · до 4 изображений в запросе · до 4K\n" in text
    assert "/quota · Лимиты" in text
    messages, members = [line for line in text.splitlines() if "«Приложения»" in line]
    assert messages.endswith("Кто это сделал, Убрать изображение")
    assert members.startswith("Нажмите на участника")
    assert members.endswith("«Приложения»: Вернуть доступ к боту")


def rejoin(env: Environment, guild: Guild) -> None:
    env.discord.remove_bot(guild)
    env.discord.add_bot(guild)


def greetings(guild: Guild) -> list[str]:
    return [message.content for channel in guild.channels for message in channel.messages]


async def until_ready(env: Environment, times: int) -> None:
    """Wait for the log: discord.py takes a server that comes before as one that the bot was in already."""
    await env.discord.until(lambda: env.log.count("ready as") == times)


async def test_server_is_greeted_once_across_restarts_and_rejoins(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        open_, closed = [env.discord.add_guild(name) for name in ("Open", "Closed")]
        for guild in (open_, closed):
            guild.locale, guild.system_channel = "ru", guild.add_channel("general")
        closed.channels[0].set_permissions(send_messages=False)
        await until_ready(env, 1)
        rejoin(env, open_)
        rejoin(env, closed)
        await env.discord.until(lambda: greetings(open_))
        await env.restart()
        await until_ready(env, 2)
        closed.channels[0].set_permissions(send_messages=True)
        rejoin(env, open_)
        rejoin(env, closed)  # it may write there now
        await env.discord.until(lambda: greetings(closed))
        assert greetings(open_) == greetings(closed)
        (greeting,) = greetings(open_)
        quota = next(each["id"] for each in env.discord.commands if each["name"] == "quota")
        assert "Я создаю изображения по описанию" in greeting
        assert f"</quota set:{quota}>" in greeting
        assert greetings(env.discord.guild) == []  # the bot was there before
