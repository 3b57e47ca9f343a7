"""Messages to the owner arrive once, even if Discord's response is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.discord.delivery import DiscordDelivery
from bot.i18n import LazyText
from tests.discord.small_environment import small_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.discord.small_environment import SmallEnvironment

FAULTS: dict[str, dict[str, Any]] = {
    "a page": {"status": 200, "body": "<html>welcome</html>"},
    "empty, and it was done": {"status": 200, "body": "", "is_after": True},
    "an object, and it was done": {"status": 200, "body": {}, "is_after": True},
    "503": {"status": 503, "body": "<html>upstream connect error</html>"},
}


@pytest.fixture
async def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmallEnvironment]:
    async with small_environment(tmp_path, monkeypatch) as env:
        yield env


@pytest.mark.parametrize("route", ["create_message", "create_dm", "application"])
async def test_warning_to_the_owner_arrives_once(env: SmallEnvironment, route: str) -> None:
    (owner,) = (person for person in env.discord.members.values() if person.is_manager)
    delivery = DiscordDelivery(env.bot)
    for count, fault in enumerate(FAULTS.values(), 1):
        env.discord.inject_fault(route, **fault)
        await delivery.warn_owner(LazyText("deleted"))
        assert len(owner.direct_messages.messages) == count
