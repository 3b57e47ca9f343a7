"""Audit log entries: complete, in order and once, in few messages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.discord import audit_log
from bot.i18n import LazyText
from tests.discord.small_environment import small_environment
from tests.discord.test_send_with_nonce import FAULTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.i18n import TextValue
    from tests.discord.small_environment import SmallEnvironment


@pytest.fixture
async def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmallEnvironment]:
    async with small_environment(tmp_path, monkeypatch) as env:
        await env.bot.wait_until_ready()
        await env.bot.settings_store.update(
            env.bot.guilds[0].id,
            lambda settings: settings.with_changes(log_channel=int(env.discord.channel.id)),
            by=1,
        )
        yield env


def record(env: SmallEnvironment, *names: str) -> None:
    for name in names:
        entry = LazyText("log-blocked", {"by": "mia", "member": name})
        env.bot.audit_log.record(env.bot.guilds[0].id, entry)


def posted(env: SmallEnvironment) -> list[list[str]]:
    """Return the names in each message of the log."""
    return [
        [line.removeprefix("⛔ mia blocked ") for line in message.text.splitlines()]
        for message in env.discord.channel.messages
    ]


async def test_entries_of_a_crowd_share_messages(env: SmallEnvironment) -> None:
    record(env, "first")
    await env.discord.until(lambda: posted(env) == [["first"]])
    crowd = [f"{number:03}{'x' * 100}" for number in range(40)]
    for name in crowd:
        record(env, name)
        await asyncio.sleep(0)
    await env.discord.until(lambda: sum(map(len, posted(env))) == 41)
    assert [name for names in posted(env) for name in names] == ["first", *crowd]
    assert len(posted(env)) == 4
    assert all(len(message.text) <= 2000 for message in env.discord.channel.messages)


async def test_longest_message_and_longer_entries(env: SmallEnvironment) -> None:
    prefix = "⛔ mia blocked "
    fitting = ["x" * 990, "x" * (2000 - 990 - len(f"{prefix}\n{prefix}"))]
    record(env, *fitting)
    long = "y" * 990
    too_long: dict[str, TextValue] = {"member": long, "images": 1, "prompt": long, "link": long}
    env.bot.audit_log.record(env.bot.guilds[0].id, LazyText("log-delivered", too_long))
    record(env, "last")
    await env.discord.until(lambda: len(posted(env)) == 3)
    assert [len(message.text) for message in env.discord.channel.messages[:2]] == [2000, 2000]
    assert (posted(env)[0], posted(env)[2]) == (fitting, ["last"])


async def test_no_worker_remains(env: SmallEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "_PAUSE_SECONDS", 0.0)
    record(env, "anna")
    await asyncio.gather(*env.bot.audit_log._workers)
    record(env, "bob")
    await asyncio.gather(*env.bot.audit_log._workers)
    assert posted(env) == [["anna"], ["bob"]]
    assert (env.bot.audit_log._pending, env.bot.audit_log._workers) == ({}, set())


async def test_entry_arrives_once(env: SmallEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord's response to the message is lost."""
    monkeypatch.setattr(audit_log, "_PAUSE_SECONDS", 0.0)
    for count, fault in enumerate(FAULTS.values(), 1):
        env.discord.inject_fault("create_message", **fault)
        record(env, "anna")
        await asyncio.gather(*env.bot.audit_log._workers)
        assert posted(env) == [["anna"]] * count


async def test_stop_does_not_wait_for_the_pause(
    env: SmallEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "_PAUSE_SECONDS", 3600.0)
    monkeypatch.setattr(audit_log, "_DRAIN_SECONDS", 30.0)
    record(env, "first")
    await env.discord.until(lambda: posted(env) == [["first"]])
    record(env, "anna", "bob")
    await env.bot.audit_log.drain()
    assert posted(env) == [["first"], ["anna", "bob"]]


async def test_entries_are_dropped_if_too_many_wait(
    env: SmallEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    record(env, *map(str, range(501)))
    (warning,) = [each.getMessage() for each in caplog.records if "dropped" in each.getMessage()]
    assert "dropped the log entry log-blocked, because too many are waiting" in warning
    await env.discord.until(lambda: len(posted(env)) == 2)
    record(env, "there is room again")
    assert sum("dropped" in each.getMessage() for each in caplog.records) == 1
