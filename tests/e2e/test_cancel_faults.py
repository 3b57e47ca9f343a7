"""RunComfy's responses to a cancel: 202 means nothing, and the status beside the outcome can be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import Fault, edit_json, reset, respond
from tests.e2e.environment import RAW

if TYPE_CHECKING:
    from playground.discord import Interaction, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANCELLED = [
    edit_json(
        lambda body: body.update(status="completed", outcome="cancelled")
    ),  # as in RunComfy's own example
    edit_json(lambda body: (body.pop("outcome"), body.update(status="canceled"))),
    edit_json(lambda body: body.update(status="in_queue", outcome="CANCELLED")),
]
PASSING = [
    reset(),
    respond(503, f"<html>{RAW} {{token}}</html>"),
    respond(200, {"error_code": 500001, "error_message": f"{RAW} {{token}}"}),
]
TOO_LATE = [
    respond(202, {"status": "in_progress", "outcome": "not_cancellable"}),
    respond(202, {"status": "cancelled", "outcome": "not_cancellable"}),
    respond(202, {"status": "in_queue", "outcome": "maybe"}),
]


async def press(env: Environment, message: Message, fault: Fault) -> Interaction:
    before = len(env.runcomfy.calls)
    env.runcomfy.inject_fault("cancel", fault)
    pressed = await env.author(message).press(message, "Cancel")
    await env.runcomfy.until(lambda: any(call.route == "cancel" for call in env.runcomfy.calls[before:]))
    return pressed


async def reply_to(env: Environment, interaction: Interaction) -> str:
    """Return the ephemeral text after a press."""
    await env.discord.until(lambda: any(each.is_ephemeral for each in interaction.messages))
    return interaction.messages[-1].text


@pytest.mark.parametrize("faults", [CANCELLED, PASSING], ids=["odd", "passing"])
async def test_odd_or_retried_response_cancels(held: Environment, faults: list[Fault]) -> None:
    messages = [await held.queued(held.new_member()) for _ in faults]
    for message, fault in zip(messages, faults, strict=True):
        pressed = await press(held, message, fault)
        # One after the other, so that a retry doesn't meet the next fault.
        await held.wait_for_text(message, "Canceled", "You weren't charged")
        row = await held.wait_for_end(message)
        assert (row["status"], row["refunded"], held.charged_images(pressed.user)) == ("cancelled", 1, 0)
        assert not any(each.is_ephemeral for each in pressed.messages)


async def test_rejected_cancel_is_reported_and_images_arrive(held: Environment) -> None:
    messages = [await held.queued(held.new_member()) for _ in TOO_LATE]
    presses = [(each, await press(held, each, fault)) for each, fault in zip(messages, TOO_LATE, strict=True)]
    for _, pressed in presses:
        assert "can't be canceled" in await reply_to(held, pressed)
    held.runcomfy.release()
    for message, pressed in presses:
        await held.wait_for_text(message, "✅")
        row = await held.wait_for_end(message)
        assert (row["status"], row["refunded"], held.charged_images(pressed.user)) == ("succeeded", 0, 1)
        assert len(message.files) == 1
