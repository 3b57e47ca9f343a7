"""Responses to the POST that costs money: each job is submitted at most once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import Fault, reset, respond
from tests.e2e.environment import RAW, button_labels, open_environment

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = f"<html>{RAW} {{token}}</html>"
UNKNOWN = {
    "lost before": reset(),
    "lost after": reset(is_after=True),
    "500": respond(500, PAGE),
    "502": respond(502, PAGE),
    "503 after": respond(503, PAGE, is_after=True),
    "504": respond(504, PAGE),
    "408": respond(408, {"error_message": f"{RAW} {{token}}"}),
    "200 with no JSON": respond(200, PAGE, is_after=True),
    "200 with nothing": respond(200, b""),
    "200 with a list": respond(200, b"[]"),
    "200 without an id": respond(200, {"message": RAW}, is_after=True),
    "200 with a strange id": respond(200, {"request_id": f"../{RAW}/{{token}}"}),
    "200 with an error": respond(200, {"error_code": 500001, "error_message": f"{RAW} {{token}}"}),
    "302": respond(302, PAGE, headers={"Location": "/v1/models/elsewhere"}),
}


async def fails(env: Environment, fault: Fault) -> Message:
    """Submit a job whose POST meets a fault; check that it fails and is refunded."""
    person = env.new_member()
    env.runcomfy.inject_fault("submit", fault)
    message = await env.imagine(person, resolution="0.5K")
    row = await env.wait_for_end(message)
    await env.wait_for_text(message, "You weren't charged")
    assert (row["status"], row["refunded"], env.charged_images(person)) == ("failed", 1, 0)
    assert button_labels(message)[-1] == "Edit prompt"
    assert message.files == []
    return message


@pytest.mark.parametrize("fault", UNKNOWN.values(), ids=UNKNOWN)
async def test_submission_without_a_usable_response_is_never_repeated(env: Environment, fault: Fault) -> None:
    message = await fails(env, fault)
    assert "before your request was confirmed" in message.text
    # A second POST would have happened by now, since another job has ended.
    await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
    assert len(env.submits_for(message)) == 1


REFUSED = {
    "400": respond(400, {"error_message": f"{RAW} {{token}}"}),
    "422": respond(422, {"error_code": 422001, "error_message": RAW, "detail": [{"msg": RAW}]}),
    "200 with 422001": respond(200, {"error_code": 422001, "error_message": RAW}),
}


@pytest.mark.parametrize("fault", REFUSED.values(), ids=REFUSED)
async def test_rejected_input_is_reported(env: Environment, fault: Fault) -> None:
    message = await fails(env, fault)
    assert "blocked this prompt" in message.text
    assert "owner" not in message.text
    assert len(env.submits_for(message)) == 1


@pytest.mark.parametrize("header", [{}, {"Retry-After": "1"}, {"Retry-After": "soon"}])
async def test_definitely_rejected_submission_is_repeated(env: Environment, header: dict[str, str]) -> None:
    env.runcomfy.inject_fault("submit", respond(429, {"message": RAW}, headers=header))
    message = await env.imagine(resolution="0.5K")
    await env.wait_for_text(message, "✅")
    first, second = env.submits_for(message)
    assert (first.request_id, second.request_id) == (None, env.job(message)["request_id"])
    assert second.at - first.at >= 1


async def test_outage_until_the_deadline_refunds(tmp_path: Path) -> None:
    """See tests/e2e/test_outage.py for a shorter outage."""
    async with open_environment(tmp_path, RUNCOMFY_API_URL="http://127.0.0.1:1", DEADLINE_SECONDS="1") as env:
        message = await env.imagine(env.alice, num_images=3)
        assert "Cancel" in message.buttons
        await env.wait_for_text(message, "isn't responding", "You weren't charged")
        assert "Retry" in button_labels(message)
        assert "owner" not in message.text
        assert env.charged_images(env.alice) == 0
        assert "0 of 10" in await env.reply_to(env.alice, "usage")
        assert " ERROR " not in env.log
