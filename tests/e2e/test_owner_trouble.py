"""Errors that only the bot's owner can fix: members learn just that, and the log says it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import Fault, respond
from tests.e2e.environment import RAW

if TYPE_CHECKING:
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


def body(code: int) -> dict[str, object]:
    return {"error_code": code, "error_message": f"{RAW} {{token}}", "detail": [RAW]}


# RunComfy's docs answer 400 to all of these and distinguish by code; its own clients expect others too.
CAUSES = {
    "token, documented": (respond(400, body(400004)), "RUNCOMFY_TOKEN"),
    "token, on HTTP 200": (respond(200, body(400004)), "RUNCOMFY_TOKEN"),
    "token, 401": (respond(401, {"message": f"{RAW} {{token}}"}), "RUNCOMFY_TOKEN"),
    "token, 403": (respond(403, "<html>{token}</html>"), "RUNCOMFY_TOKEN"),
    "balance, documented": (respond(400, body(400002)), "balance"),
    "balance, on HTTP 200": (respond(200, body(400002)), "balance"),
    "balance, 402": (respond(402, {"message": RAW}), "balance"),
    "model, documented": (respond(400, body(400001)), ""),
    "model, 404": (respond(404, {"message": RAW}), ""),
}


async def recovered(env: Environment) -> int:
    """Let one job succeed, so that errors are logged again; return the length of the log."""
    await env.wait_for_end(await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅"))
    return len(env.log)


@pytest.mark.parametrize(("fault", "cause"), CAUSES.values(), ids=CAUSES)
async def test_operator_errors_are_logged_once(env: Environment, fault: Fault, cause: str) -> None:
    since = await recovered(env)
    for _ in range(3):
        person = env.new_member()
        env.runcomfy.inject_fault("submit", fault)
        message = await env.imagine(person, resolution="0.5K", num_images=2)
        await env.wait_for_text(message, "owner", "You weren't charged")
        assert len(env.submits_for(message)) == 1
        assert (await env.wait_for_end(message))["refunded"] == 2
        assert env.charged_images(person) == 0
    errors = [line for line in env.log[since:].splitlines() if " ERROR " in line]
    assert len(errors) == 1
    assert cause in errors[0]


async def test_operator_error_is_logged_again_after_recovery(env: Environment) -> None:
    since = await recovered(env)
    for _ in range(2):
        env.runcomfy.inject_fault("submit", respond(402, {"message": RAW}))
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "owner")
        await recovered(env)
    assert env.log[since:].count(" ERROR ") == 2


@pytest.mark.parametrize("route", ["status", "result"])
async def test_token_revoked_during_generation(env: Environment, route: str) -> None:
    since = await recovered(env)
    person = env.new_member()
    env.runcomfy.inject_fault(route, respond(400, body(400004)))
    message = await env.imagine(person, resolution="0.5K")
    await env.wait_for_text(message, "owner", "Press Get images to check")
    assert "charged" not in message.text
    assert (await env.wait_for_end(message))["refunded"] == 0
    assert env.charged_images(person) == 1
    assert env.log[since:].count(" ERROR ") == 1
    assert len(env.submits_for(message)) == 1


async def test_usage_shows_no_charge(env: Environment) -> None:
    before = await env.reply_to(env.bob, "usage")
    env.runcomfy.inject_fault("submit", respond(400, body(400002)))
    await env.wait_for_end(await env.wait_for_text(await env.imagine(env.bob, num_images=4), "owner"))
    after = await env.reply_to(env.bob, "usage")
    assert "0 of 1000000 credits used, 1000000 left" in before
    assert after == before
