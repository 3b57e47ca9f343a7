"""Settings of servers in a real file."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

import pytest

from bot.domain.guild_settings import GuildSettings
from bot.errors import BusyError, PolicyError
from bot.storage.guild_settings import GuildSettingsStore
from tests.storage.stored import change, rows

if TYPE_CHECKING:
    from bot.storage.database import Database
    from bot.storage.sqlite import SqliteDatabase

HERE, ELSEWHERE, MANAGER = 10, 11, 30


@pytest.fixture
def guilds(database: Database) -> GuildSettingsStore:
    return GuildSettingsStore(database)


async def write(database: Database, settings: str) -> None:
    await change(database, "delete from guilds")
    statement = "insert into guilds values (:guild_id, :settings, 0, 0)"
    await change(database, statement, guild_id=HERE, settings=settings)


async def test_defaults_without_stored_settings(guilds: GuildSettingsStore, database: Database) -> None:
    assert await guilds.get(HERE) == GuildSettings()
    change = await guilds.update(HERE, lambda settings: settings, by=MANAGER)
    assert change.before == change.after == GuildSettings()
    assert await rows(database, "select * from guilds") == []


async def test_update_applies_to_its_server_only(guilds: GuildSettingsStore, database: Database) -> None:
    change = await guilds.update(HERE, lambda settings: settings.with_changes(most_images=2), by=MANAGER)
    assert (change.before.most_images, change.after.most_images) == (None, 2)
    assert await guilds.get(HERE) == GuildSettings(most_images=2)
    assert await guilds.get(ELSEWHERE) == GuildSettings()
    ((by, stored),) = await rows(database, "select changed_by, settings from guilds")
    assert (by, json.loads(stored)) == (MANAGER, {"most_images": 2})


async def test_concurrent_updates_keep_both_changes(guilds: GuildSettingsStore) -> None:
    async def add(channel_id: int) -> None:
        await guilds.update(
            HERE,
            lambda settings: settings.with_changes(
                forbidden_channels=settings.forbidden_channels | {channel_id},
                most_images=channel_id if channel_id == 7 else settings.most_images,
            ),
            by=MANAGER,
        )

    await asyncio.gather(*(add(channel_id) for channel_id in range(1, 21)))
    assert await guilds.get(HERE) == GuildSettings(forbidden_channels=frozenset(range(1, 21)), most_images=7)


async def test_rejected_update_changes_nothing(guilds: GuildSettingsStore) -> None:
    await guilds.update(HERE, lambda settings: settings.with_changes(most_images=2), by=MANAGER)

    def refuse(_: GuildSettings) -> GuildSettings:
        raise PolicyError("not-age-restricted", channel="<#1>")

    with pytest.raises(PolicyError, match="not-age-restricted"):
        await guilds.update(HERE, refuse, by=MANAGER)
    assert await guilds.get(HERE) == GuildSettings(most_images=2)


async def test_invalid_settings_are_logged_once_and_kept(
    guilds: GuildSettingsStore, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    stored = {"most_images": "two", "is_spoiler": True, "of_a_later_version": [1]}
    await write(database, json.dumps(stored))
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert await guilds.get(HERE) == GuildSettings(is_spoiler=True)
    assert [record.getMessage() for record in caplog.records] == [
        "the settings of server 10: most_images cannot be read, so its default applies"
    ]
    await guilds.update(HERE, lambda settings: settings.with_changes(is_private=True), by=MANAGER)
    ((kept,),) = await rows(database, "select settings from guilds")
    assert json.loads(kept) == {**stored, "is_private": True}
    await guilds.update(HERE, lambda settings: settings.with_changes(most_images=3), by=MANAGER)
    assert await guilds.get(HERE) == GuildSettings(is_spoiler=True, is_private=True, most_images=3)


@pytest.mark.parametrize("stored", ["", "[1]", "not json"])
async def test_stored_text_that_is_not_an_object(
    guilds: GuildSettingsStore, database: Database, stored: str
) -> None:
    await write(database, stored)
    assert await guilds.get(HERE) == GuildSettings()
    await guilds.update(HERE, lambda settings: settings.with_changes(most_images=3), by=MANAGER)
    assert await guilds.get(HERE) == GuildSettings(most_images=3)


async def test_busy_database_keeps_the_old_settings(sqlite: SqliteDatabase) -> None:
    guilds = GuildSettingsStore(sqlite)
    await guilds.update(HERE, lambda settings: settings.with_changes(most_images=2), by=MANAGER)
    await sqlite.transaction(lambda connection: connection.execute("pragma query_only = on"))
    with pytest.raises(BusyError):
        await guilds.update(HERE, lambda settings: settings.with_changes(most_images=3), by=MANAGER)
    assert await guilds.get(HERE) == GuildSettings(most_images=2)
