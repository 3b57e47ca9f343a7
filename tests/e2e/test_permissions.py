"""Missing permissions and undelivered first responses cost nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import NoResponse
from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.blocking_proxy import BlockingProxy, blocking_proxy
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playground.discord import Channel, Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
UNKNOWN_INTERACTION = (404, {"code": 10062, "message": "Unknown interaction"})
MISSING_ACCESS = (403, {"code": 50001, "message": "Missing Access"})
ANSWERED_ALREADY = (400, {"code": 40060, "message": "Interaction has already been acknowledged."})
NO_JSON = "<html>upstream connect error</html>"


async def done(env: Environment, person: Member, channel: Channel | None = None) -> Message:
    message = await env.imagine(person, resolution="0.5K", **({"channel": channel} if channel else {}))
    return await env.wait_for_text(message, "✅")


async def imagine(person: Member, channel: Channel | None = None) -> Interaction:
    return await person.command("imagine", channel=channel, prompt="a fox", resolution="0.5K")


async def refunded(env: Environment, interaction: Interaction) -> dict[str, Any]:
    """Return the ended job of an interaction; it has one row and no charge."""
    await env.wait_for_rows(lambda: env.rows(_ended(interaction)))
    (row,) = env.rows(_ended(interaction))
    assert row["refunded"] == row["image_count"]
    return row


def _ended(interaction: Interaction) -> str:
    return f"select * from jobs where interaction_id = {interaction.id} and ended_at is not null"  # noqa: S608 (an id)


@pytest.mark.parametrize(
    ("missing", "name"),
    [("view_channel", "View Channel"), ("embed_links", "Embed Links"), ("attach_files", "Attach Files")],
)
async def test_missing_permission_is_reported_before_spending(
    env: Environment, missing: str, name: str
) -> None:
    anna, channel = env.new_member(), env.discord.guild.add_channel("elsewhere")
    message = await done(env, anna, channel)
    submits, rows = len(env.runcomfy.submits), len(env.rows())
    channel.app_permissions.update(**{missing: False})
    presses = [await imagine(anna, channel), await anna.press(message, "Re-roll")]
    for press in presses:
        refusal = await press.response()
        assert refusal.is_ephemeral
        assert name in refusal.text
    assert (len(env.runcomfy.submits), len(env.rows())) == (submits, rows)
    channel.app_permissions.update(**{missing: True})
    await done(env, anna, channel)


@pytest.mark.parametrize("refusal", [UNKNOWN_INTERACTION, MISSING_ACCESS])
async def test_rejected_first_response_is_free(env: Environment, refusal: tuple[int, Any]) -> None:
    anna = env.new_member()
    message, submits = await done(env, anna), len(env.runcomfy.submits)
    env.discord.inject_fault("callback", *refusal, times=2)
    for press in (await imagine(anna), await anna.press(message, "Re-roll")):
        await refunded(env, press)
    assert len(env.runcomfy.submits) == submits
    assert env.charged_images(anna) == 1
    assert (await env.reply_to(anna, "usage")).count("0.75 of ") == 1


async def test_first_response_after_three_seconds_is_free(env: Environment) -> None:
    anna = env.new_member()
    message, submits = await done(env, anna), len(env.runcomfy.submits)
    presses = [await imagine(anna), await anna.press(message, "Re-roll")]
    for press in presses:
        env.discord.age(press, 4)
    for press in presses:
        await refunded(env, press)
        with pytest.raises(NoResponse):
            await press.response()
    assert len(env.runcomfy.submits) == submits


@pytest.mark.parametrize("status", [500, 503])
async def test_lost_response_is_found_and_the_job_continues(env: Environment, status: int) -> None:
    """discord.py retries and gets error 40060."""
    anna, submits = env.new_member(), len(env.runcomfy.submits)
    env.discord.inject_fault("callback", status, NO_JSON, is_after=True)
    interaction = await imagine(anna)
    message = await env.wait_for_text(await interaction.response(), "✅")
    await env.wait_until_idle()
    assert len(env.runcomfy.submits) == submits + 1
    assert (delivered(message), len(interaction.messages), env.charged_images(anna)) == (1, 1, 1)


async def test_already_acknowledged_interaction_continues(env: Environment) -> None:
    anna = env.new_member()
    env.discord.inject_fault("callback", *ANSWERED_ALREADY, is_after=True)
    message = await (await imagine(anna)).response()
    await env.wait_for_text(message, "✅")
    assert delivered(message) == 1


async def test_first_response_that_never_arrived_is_free(env: Environment) -> None:
    anna, submits = env.new_member(), len(env.runcomfy.submits)
    env.discord.inject_fault("callback", *ANSWERED_ALREADY)
    await refunded(env, await imagine(anna))
    env.discord.inject_fault("callback", 503, NO_JSON, times=2)  # the third attempt comes after three seconds
    await refunded(env, await imagine(anna))
    assert len(env.runcomfy.submits) == submits
    assert env.charged_images(anna) == 0


async def test_visible_message_does_not_wait_forever(env: Environment) -> None:
    """The first response arrives, its HTTP response is lost, and its token fails for a moment.

    https://github.com/discord/discord-api-docs/issues/7220
    """
    anna = env.new_member()
    env.discord.inject_fault("callback", 503, NO_JSON, is_after=True)
    env.discord.inject_fault("get_original", 404, {"code": 10015, "message": "Unknown Webhook"})
    message = await (await imagine(anna)).response()
    await env.discord.until(lambda: "🕒" not in message.text)
    await env.wait_until_idle()
    assert env.charged_images(anna) == delivered(message)


# A blocking proxy between the bot and Discord


@pytest.fixture(name="way")
async def _way(tmp_path: Path) -> AsyncIterator[tuple[Environment, BlockingProxy]]:
    async with (
        open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False) as env,
        blocking_proxy(env) as way,
    ):
        await env.start()
        yield env, way


@pytest.mark.asyncio(loop_scope="function")
async def test_broken_connection_counts_as_lost_response(way: tuple[Environment, BlockingProxy]) -> None:
    env, passage = way
    passage.drop_next_response()
    message = await env.imagine(resolution="0.5K")
    await env.wait_for_text(message, "✅")
    await env.wait_until_idle()
    assert (len(env.runcomfy.submits), delivered(message)) == (1, 1)


@pytest.mark.asyncio(loop_scope="function")
async def test_rejected_first_response_is_free_with_locked_database(
    way: tuple[Environment, BlockingProxy],
) -> None:
    env, passage = way
    env.discord.inject_fault("callback", *MISSING_ACCESS)
    passage.hold_next_response()
    interaction = await imagine(env.alice)
    await env.discord.until(lambda: any(call.route == "callback" for call in env.discord.trace))
    with closing(sqlite3.connect(env.folder / "data" / "bot.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        passage.release()
        await env.discord.until(lambda: "refuses to write" in env.log)
        other.execute("rollback")
    await refunded(env, interaction)
    assert env.charged_images(env.alice) == 0


@pytest.mark.asyncio(loop_scope="function")
async def test_cancel_before_the_first_response_is_confirmed(
    way: tuple[Environment, BlockingProxy],
) -> None:
    """Members see the message before the bot gets the response to it."""
    env, passage = way
    passage.hold_next_response()
    interaction = await imagine(env.alice)
    message = await interaction.response()
    press = await env.alice.press(message, "Cancel")
    await env.discord.until(lambda: press.is_acknowledged)
    await env.wait_for_rows(lambda: env.rows()[0]["ended_at"])
    passage.release()
    await env.wait_for_text(message, "Canceled", timeout=10)
    assert (len(env.runcomfy.submits), env.charged_images(env.alice)) == (0, 0)


@pytest.mark.asyncio(loop_scope="function")
async def test_cancel_after_three_seconds(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        env.runcomfy.inject_fault("submit", respond(429), None)
        message = await env.imagine()
        press = await env.alice.press(message, "Cancel")
        env.discord.age(press, 4)
        await env.discord.until(lambda: any(call.status == 404 for call in env.discord.trace))
        env.runcomfy.clear_faults("submit")
        await env.discord.until(lambda: "🕒" not in message.text)
        await env.wait_until_idle()
        check_accounts(env)
