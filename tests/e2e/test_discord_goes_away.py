"""Channels, permissions, roles and servers that disappear during a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.accounts import delivered
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playground.discord import Channel, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


def delete_channel(env: Environment, channel: Channel) -> None:
    for message in [*channel.messages]:
        env.discord.delete(message)
    del env.discord.channels[channel.id]
    env.discord.send({"t": "CHANNEL_DELETE", "d": channel.payload})


def hide_channel(_: Environment, channel: Channel) -> None:
    channel.app_permissions.update(view_channel=False)


def forbid_files(_: Environment, channel: Channel) -> None:
    channel.app_permissions.update(attach_files=False)


def forbid_embeds(_: Environment, channel: Channel) -> None:
    channel.app_permissions.update(embed_links=False)


def leave_server(env: Environment, channel: Channel) -> None:
    """Remove the bot, which ends its permissions and its interaction tokens."""
    channel.app_permissions.update(view_channel=False)
    assert channel.guild
    env.discord.send({"t": "GUILD_DELETE", "d": {"id": channel.guild.id}})


CHANGES = pytest.mark.parametrize(
    "change", [delete_channel, hide_channel, forbid_files, forbid_embeds, leave_server]
)


async def start_job(env: Environment, person: Member) -> tuple[Message, Channel]:
    channel = env.discord.add_guild("Elsewhere").add_channel("art")
    interaction = await person.command("imagine", channel=channel, prompt="a fox", resolution="0.5K")
    return await env.wait_for_text(await interaction.response(), "In queue, #"), channel


def finish(held: Environment) -> None:
    held.runcomfy.finish(held.runcomfy.start_next())


@CHANGES
@pytest.mark.parametrize("moment", ["in_queue", "in_progress"])
async def test_images_arrive_by_direct_message(
    held: Environment, change: Callable[[Environment, Channel], None], moment: str
) -> None:
    anna, bert = held.new_member(), held.new_member()
    message, channel = await start_job(held, anna)
    other = await held.queued(bert)
    request_id = held.runcomfy.start_next() if moment == "in_progress" else ""
    if request_id:
        await held.wait_for_text(message, "Generating")
    change(held, channel)
    held.discord.age(message, 15 * 60)
    held.runcomfy.finish(request_id or held.runcomfy.start_next())
    finish(held)
    assert (await held.wait_for_end(message))["status"] == "succeeded"
    (direct,) = anna.direct_messages.messages
    assert "✅" in direct.text
    assert (delivered(direct), held.charged_images(anna), len(held.submits_for(message))) == (1, 1, 1)
    await held.wait_for_text(other, "✅")
    await held.wait_for_end(other)
    assert held.charged_images(bert) == 1


@CHANGES
async def test_undeliverable_images_can_be_collected(
    held: Environment, change: Callable[[Environment, Channel], None]
) -> None:
    anna = held.new_member()
    anna.takes_direct_messages = False
    message, channel = await start_job(held, anna)
    change(held, channel)
    held.discord.age(message, 15 * 60)
    finish(held)
    row = await held.wait_for_end(message)
    assert (row["status"], row["refunded"], held.charged_images(anna)) == ("failed", 0, 1)


async def test_images_are_in_jobs_after_rejoining_a_server(held: Environment) -> None:
    anna = held.new_member()
    anna.takes_direct_messages = False
    message, channel = await start_job(held, anna)
    leave_server(held, channel)
    held.discord.age(message, 15 * 60)
    finish(held)
    await held.wait_for_end(message)
    assert channel.guild
    held.discord.send({"t": "GUILD_CREATE", "d": channel.guild.payload})
    channel.app_permissions.update(view_channel=True)
    listing = await (await anna.command("jobs", channel=channel)).response()
    fetched = await (await anna.press(listing, "Get images 1")).response()
    await held.wait_for_text(fetched, "✅")
    assert (delivered(fetched), held.charged_images(anna), len(held.submits_for(message))) == (1, 1, 1)


async def test_former_manager(held: Environment) -> None:
    """A client can still show the command, and Discord can still send it."""
    boss, anna = held.new_member(is_manager=True), held.new_member()
    message = await held.queued(anna)
    boss.is_manager = False
    refusal = await (await boss.send_raw("quota set", {"limit": 0, "per": "day"})).response()
    assert refusal.is_ephemeral
    assert "a server manager" in refusal.text
    press = await boss.press(message, "Cancel")
    assert "Only" in (await press.response()).text
    finish(held)
    await held.wait_for_text(message, "✅")


@pytest.mark.asyncio(loop_scope="function")
async def test_start_after_leaving_a_server(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        env.runcomfy.hold()
        message, channel = await start_job(env, env.alice)
        await env.kill()
        leave_server(env, channel)
        assert channel.guild
        env.discord.guilds.remove(channel.guild)
        env.discord.age(message, 15 * 60)
        env.runcomfy.release()
        await env.start()
        await env.wait_for_end(message)
        (direct,) = env.alice.direct_messages.messages
        assert (delivered(direct), env.charged_images(env.alice)) == (1, 1)
