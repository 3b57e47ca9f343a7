"""Late, odd, broken and misleading responses; each job is submitted once all the same."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from playground.runcomfy import (
    Call,
    Fault,
    LocalRunComfy,
    edit_json,
    flood,
    reset,
    respond,
    trickle,
    truncate,
    with_content_type,
)
from tests.e2e.accounts import check_accounts
from tests.e2e.environment import RAW, open_environment
from tests.e2e.outcomes import expect_delivered, expect_failed, expect_uncollected, response_with

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playground.discord import Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTES = ("submit", "status", "result")


async def _gibberish(request: web.Request, _: web.Response | None) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(f"{RAW} {request.headers['Authorization']}\r\n\r\n".encode())
    request.transport.close()
    return web.Response()


BROKEN = {
    "no HTTP": Fault(_gibberish, is_after=True),
    "half of it": truncate(),
    "without an end": flood(2**21),
    "a list": respond(200, b"[1]", is_after=True),
    "no UTF-8": respond(200, b'{"status": "\xff"}', is_after=True),
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
async def test_broken_responses_are_polled_again_and_never_resubmitted(
    env: Environment, fault: Fault
) -> None:
    for route in ("status", "result"):
        env.runcomfy.inject_fault(route, fault)
    await expect_delivered(env)
    env.runcomfy.inject_fault("submit", fault)
    await expect_failed(env, "before your request was confirmed")


@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=utf-16", "image/png"])
async def test_json_is_parsed_whatever_its_content_type(env: Environment, kind: str) -> None:
    for route in ROUTES:
        env.runcomfy.inject_fault(route, with_content_type(kind))
    await expect_delivered(env)


async def test_slow_responses(env: Environment) -> None:
    for route in ROUTES:
        env.runcomfy.inject_fault(route, trickle(2))
    await expect_delivered(env)


async def test_failure_in_both_status_and_result(env: Environment) -> None:
    env.runcomfy.inject_fault("status", response_with(status="failed"))
    env.runcomfy.inject_fault(
        "result", edit_json(lambda body: (body.pop("output"), body.update(status="failed")))
    )
    await expect_failed(env, "I couldn't generate this")


async def test_success_without_output_fails(env: Environment) -> None:
    env.runcomfy.inject_fault("result", edit_json(lambda body: body.pop("output")))
    await expect_failed(env, "I couldn't generate this")


async def test_responses_never_redirect_to_another_host(env: Environment) -> None:
    async with LocalRunComfy(seconds=0) as other:
        links = {
            f"{verb}_url": f"{other.url}/v1/requests/x/{verb}" for verb in ("status", "result", "cancel")
        }
        for code in (301, 302, 303, 307, 308):
            away = respond(code, RAW, headers={"Location": f"{other.url}/v1/models"})
            for route in ("status", "result"):
                env.runcomfy.inject_fault(route, away)
                env.runcomfy.inject_fault(route, response_with(**links))
            env.runcomfy.inject_fault("submit", response_with(**links))
            await expect_delivered(env)
            env.runcomfy.inject_fault("submit", away)
            await expect_failed(env, "before your request was confirmed")
        assert not other.calls


async def test_cancel_with_a_lost_broken_late_or_redirect_response(held: Environment) -> None:
    async with LocalRunComfy(seconds=0) as other:
        away = respond(307, RAW, headers={"Location": f"{other.url}/v1/models"})
        faults = [reset(is_after=True), *BROKEN.values(), trickle(1), with_content_type("text/plain"), away]
        people = [held.new_member() for _ in faults]
        messages = await asyncio.gather(*(held.queued(person) for person in people))
        for person, message, fault in zip(people, messages, faults, strict=True):
            held.runcomfy.inject_fault("cancel", fault)
            await person.press(message, "Cancel")
            row = await held.wait_for_end(message)  # so that the next fault meets the next cancel
            assert (row["status"], row["refunded"], held.charged_images(person)) == ("cancelled", 1, 0)
        for message in messages:
            await held.wait_for_text(message, "Canceled", "You weren't charged")
            assert len(held.submits_for(message)) == 1
        assert not other.calls


def later(**wait: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(**wait), usegmt=True)


async def test_retry_after_as_a_date_and_in_seconds(env: Environment) -> None:
    for header, seconds in ((later(seconds=7), 3), ("3", 3)):
        refused = respond(429, {"message": RAW}, headers={"Retry-After": header})
        env.runcomfy.inject_fault("submit", refused)
        message = await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
        first, second = env.submits_for(message)
        assert (first.request_id, second.request_id) == (None, env.job(message)["request_id"])
        assert second.at - first.at >= seconds

    env.runcomfy.inject_fault("status", respond(503, RAW, headers={"Retry-After": "3"}))
    first_poll, second_poll, *_ = polls(env, await expect_delivered(env))
    assert second_poll.at - first_poll.at >= 3


def polls(env: Environment, message: Message) -> list[Call]:
    path = f"/v1/requests/{env.job(message)['request_id']}/status"
    return [call for call in env.runcomfy.calls if call.path == path]


@pytest.mark.parametrize(
    "header", ["86400", later(days=365), "999999999999"], ids=["a day", "a date", "for ever"]
)
async def test_long_retry_after_can_be_cancelled(env: Environment, header: str) -> None:
    person = env.new_member()
    refused = respond(429, {"message": RAW}, headers={"Retry-After": header})
    env.runcomfy.inject_fault("submit", refused, times=None)
    try:
        message = await env.imagine(person, resolution="0.5K")
        await env.runcomfy.until(lambda: env.submits_for(message))
        await env.wait_for_rows(lambda: env.job(message)["status"] == "waiting")
        assert "🕒" in message.text
        await person.press(message, "Cancel")
        await env.wait_for_text(message, "Canceled", "You weren't charged")
        assert env.charged_images(person) == 0
        assert {post.request_id for post in env.submits_for(message)} == {None}
    finally:
        env.runcomfy.clear_faults("submit")


ECHOES: dict[str, Callable[[str], tuple[str, Fault]]] = {
    "the word of a status": lambda token: ("status", response_with(status=token)),
    "the place in the queue": lambda token: (
        "status",
        response_with(status="in_queue", queue_position=token),
    ),
    "the status of a result": lambda token: ("result", response_with(status=token)),
    "headers": lambda token: (
        "status",
        respond(503, token, headers={"X-Token": token, "Retry-After": token}),
    ),
    "a place to go to": lambda token: ("result", respond(302, token, headers={"Location": f"/{token}"})),
    "no HTTP": lambda _: ("status", BROKEN["no HTTP"]),
}
ADDRESS_ECHOES: dict[str, Callable[[str], tuple[str, Fault]]] = {
    "a path": lambda token: ("result", response_with(output={"images": [f"https://a.example/{token}.png"]})),
    "a file's name": lambda token: (
        "result",
        response_with(output=f"http://127.0.0.1:9/{token}.png?{token}"),
    ),
    "no address": lambda token: ("result", response_with(output=f"ftp://{token}@a.example/")),
}
FATAL_ECHOES: dict[str, Callable[[str], tuple[str, Fault]]] = {
    "the reason for a failure": lambda token: (
        "result",
        response_with(status="failed", error=f"blocked: {token}"),
    ),
    "a refusal": lambda token: ("submit", respond(422, {"error_message": token, "detail": [{"msg": token}]})),
    "a code": lambda token: ("submit", respond(400, {"error_code": token, "error_message": token})),
    "a request_id": lambda token: ("submit", response_with(request_id=token)),
}


async def test_echoed_token_is_never_shown_or_logged(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, LOG_LEVEL="DEBUG") as env:
        for echo in ECHOES.values():
            env.runcomfy.inject_fault(*echo(env.runcomfy.token))
            await expect_delivered(env)
        for echo in ADDRESS_ECHOES.values():
            env.runcomfy.inject_fault(*echo(env.runcomfy.token))
            await expect_uncollected(env)
        for echo in FATAL_ECHOES.values():
            env.runcomfy.inject_fault(*echo(env.runcomfy.token))
            await expect_failed(env, images=1)
        await asyncio.gather(*(env.reply_to(env.alice, name) for name in ("usage", "jobs")))
        await env.wait_until_idle()
        check_accounts(env)
