"""A line in a server's log and a message to the owner arrive once, even if Discord's answer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.discord.audit_log import AuditLog, post
from bot.discord.delivery import DiscordDelivery
from bot.i18n import LazyText
from tests.cogs.small_world import small_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.cogs.small_world import SmallWorld

FAULTS: dict[str, dict[str, Any]] = {
    "a page": {"status": 200, "body": "<html>welcome</html>"},
    "empty, and it was done": {"status": 200, "body": "", "is_late": True},
    "an object, and it was done": {"status": 200, "body": {}, "is_late": True},
    "503": {"status": 503, "body": "<html>upstream connect error</html>"},
}


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmallWorld]:
    async with small_world(tmp_path, monkeypatch) as world:
        yield world


async def test_a_line_of_a_servers_log(world: SmallWorld) -> None:
    await world.bot.wait_until_ready()
    channel, guild = world.discord.channel, world.bot.guilds[0]
    for count, fault in enumerate(FAULTS.values(), 1):
        world.discord.fail("create_message", **fault)
        await post(world.bot, guild, int(channel.id), LazyText("deleted"))
        assert len(channel.messages) == count


@pytest.mark.parametrize("route", ["create_message", "create_dm", "application"])
async def test_a_word_to_the_owner(world: SmallWorld, route: str) -> None:
    (owner,) = (person for person in world.discord.people.values() if person.is_manager)
    delivery = DiscordDelivery(world.bot, AuditLog(world.bot))
    for count, fault in enumerate(FAULTS.values(), 1):
        world.discord.fail(route, **fault)
        await delivery.warn_owner(LazyText("deleted"))
        assert len(owner.direct_messages.messages) == count
