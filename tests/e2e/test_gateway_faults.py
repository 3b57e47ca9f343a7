"""Gateway reconnects: edits work without it, and no interaction is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.accounts import check_accounts, delivered

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


def finish(held: Environment) -> None:
    held.runcomfy.finish(held.runcomfy.start_next())


def drop(env: Environment) -> None:
    env.discord.gateway.drop()


def drop_and_end_session(env: Environment) -> None:
    env.discord.gateway.drop(is_resumable=False)


def request_reconnect(env: Environment) -> None:
    env.discord.gateway.request_reconnect()


DISCONNECTS = pytest.mark.parametrize("go", [drop, drop_and_end_session, request_reconnect])


async def wait_until_online(env: Environment) -> None:
    await env.discord.until(lambda: env.discord.is_online)


@DISCONNECTS
async def test_waiting_and_running_jobs_survive_a_reconnect(
    held: Environment, go: Callable[[Environment], None]
) -> None:
    anna, bert = held.new_member(), held.new_member()
    first, second = await held.queued(anna), await held.queued(bert)
    wires: list[object] = []
    for _ in range(3):
        wires.append(held.discord.gateway.connection)
        go(held)
        await held.discord.until(lambda: held.discord.gateway.connection not in [*wires, None])
    finish(held)
    finish(held)
    for person, message in ((anna, first), (bert, second)):
        await held.wait_for_text(message, "✅")
        await held.wait_for_end(message)
        assert (delivered(message), held.charged_images(person), len(held.submits_for(message))) == (1, 1, 1)
    check_accounts(held)


async def test_images_are_delivered_without_a_gateway(held: Environment) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.discord.gateway.is_unavailable = True
    held.discord.gateway.drop()
    finish(held)
    await held.wait_for_text(message, "✅")
    await held.wait_for_end(message)
    await held.discord.until(lambda: "Discord's gateway is away (WSServerHandshakeError)" in held.log)
    assert not held.discord.is_online
    held.discord.gateway.is_unavailable = False
    await wait_until_online(held)
    assert "credits used" in await held.reply_to(anna, "usage")


async def test_events_during_a_gap_arrive_once_after_resume(held: Environment) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    session = held.discord.gateway.session
    held.discord.gateway.drop()
    cancel = await anna.press(message, "Cancel")
    command = await anna.command("imagine", prompt="a hen", resolution="0.5K")
    await wait_until_online(held)
    assert held.discord.gateway.session == session
    answer = await command.response()
    await held.wait_for_text(message, "Canceled")
    held.discord.gateway.drop()
    for interaction in (cancel, command):  # as Discord does if it doesn't know which events arrived
        held.discord.send(interaction.event)
    await wait_until_online(held)
    await held.wait_for_rows(lambda: held.job(answer)["request_id"])
    finish(held)
    await held.wait_for_text(answer, "✅")
    await held.wait_until_idle()
    assert (held.charged_images(anna), len(held.submits_for(answer)), len(command.messages)) == (1, 1, 1)
    check_accounts(held)


async def test_stale_interactions_are_free(held: Environment) -> None:
    anna = held.new_member()
    submits = len(held.runcomfy.submits)
    held.discord.gateway.is_unavailable = True
    held.discord.gateway.drop()
    command = await anna.command("imagine", prompt="a fox", resolution="0.5K")
    held.discord.age(command, 4)
    held.discord.gateway.is_unavailable = False
    await wait_until_online(held)
    row = f"select * from jobs where interaction_id = {command.id} and ended_at is not null"  # noqa: S608 (an id)
    await held.wait_for_rows(lambda: held.rows(row))
    assert (held.charged_images(anna), len(held.runcomfy.submits)) == (0, submits)
    await held.wait_for_text(await held.imagine(anna, resolution="0.5K"), "🕒")


async def test_unparsable_events_are_skipped(env: Environment) -> None:
    bert = env.new_member()
    env.discord.send({"t": "CHANNEL_UPDATE", "d": {"id": "1"}})
    env.discord.gateway.edit_next_event(lambda event: event.pop("token"))
    await env.bob.send_raw("usage")
    env.discord.gateway.send_frame(b"not zlib")
    wire = env.discord.gateway.connection
    env.discord.gateway.edit_next_event(lambda event: event.update(channel=None, app_permissions=None))
    message = await env.imagine(bert, resolution="0.5K")
    assert env.discord.gateway.connection is not wire
    await env.wait_for_text(message, "✅")
    assert env.log.count("gateway messages of the kind INTERACTION_CREATE") == 1
