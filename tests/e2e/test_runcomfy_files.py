"""Faults of the file host: members see whether images can still be collected, and pay for what they got."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import web
from PIL import Image

from playground.runcomfy import Fault, LocalRunComfy, edit_json, flood, reset, respond, trickle, truncate
from tests.e2e.accounts import check_accounts
from tests.e2e.environment import RAW, button_labels
from tests.e2e.outcomes import expect_delivered
from tests.e2e.outcomes import expect_uncollected as loses

if TYPE_CHECKING:
    from playground.discord import Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

MADE = "Your images are ready, but I couldn't download them"
TOO_MUCH: Final = 64 * 1024 * 1024 + 1
PNG = {"Content-Type": "image/png"}


async def _promise(request: web.Request, _: web.Response | None) -> web.StreamResponse:
    response = web.StreamResponse(headers={**PNG, "Content-Length": str(TOO_MUCH)})
    await response.prepare(request)
    await asyncio.Event().wait()  # sends no byte of the body
    return response


def picture(kind: str) -> bytes:
    Image.effect_noise((64, 64), 50).save(file := io.BytesIO(), kind)
    return file.getvalue()


# Each fault with the number of requests: transient faults are retried, permanent ones are not.
LOST: dict[str, tuple[Fault, int]] = {
    "expired, 403": (respond(403, f"<Error>{RAW}</Error>"), 1),
    "expired, 404": (respond(404, RAW), 1),
    "expired, 410": (respond(410, RAW), 1),
    "a web page": (respond(200, f"<html>{RAW}</html>"), 1),
    "a page that says it is an image": (respond(200, RAW.encode(), headers=PNG), 1),
    "another kind of image": (respond(200, picture("BMP"), headers={"Content-Type": "image/bmp"}), 1),
    "half a picture, whole by its length": (respond(200, picture("PNG")[:-200], headers=PNG), 1),
    "a part": (respond(206, picture("PNG"), headers=PNG), 1),
    "huge": (flood(TOO_MUCH), 1),
    "huge, as it says before": (Fault(_promise), 1),
    "empty": (respond(200, b"", headers=PNG), 4),
    "cut short": (truncate(), 4),
    "down": (respond(503, f"<html>{RAW}</html>", headers={"Retry-After": "0"}), 4),
    "overrun": (respond(429, RAW, headers={"Retry-After": "86400"}), 4),
    "unreachable": (reset(), 4),
}


def by_seed(env: Environment, faults: list[Fault]) -> Fault:
    """Return the n-th fault for the job with seed n."""

    async def spoil(request: web.Request, good: web.Response | None) -> web.StreamResponse:
        generation = env.runcomfy.requests[request.match_info["request_id"]]
        return await faults[generation.input["seed"]].respond(request, good)

    return Fault(spoil, is_after=True)


def file_calls(env: Environment, message: Message) -> int:
    request_id = env.job(message)["request_id"]
    return sum(call.route == "file" and request_id in call.path for call in env.runcomfy.calls)


async def fetched(env: Environment, message: Message) -> Message:
    """Press Fetch as the requester and return the response."""
    fetch = next(label for label in message.buttons if label.startswith("Get images"))
    return await (await env.author(message).press(message, fetch)).response()


async def test_files_that_fail_to_download_can_be_collected_later(env: Environment) -> None:
    env.runcomfy.inject_fault("file", by_seed(env, [fault for fault, _ in LOST.values()]), times=None)
    try:
        messages = await asyncio.gather(*(loses(env, MADE, seed=seed) for seed in range(len(LOST))))
    finally:
        env.runcomfy.clear_faults("file")
    asked = {name: file_calls(env, message) for name, message in zip(LOST, messages, strict=True)}
    # aiohttp itself retries once if a reused connection breaks.
    assert asked.pop("unreachable") in range(4, 9)
    assert asked == {name: times for name, (_, times) in LOST.items() if name != "unreachable"}
    assert not [file for file in (env.folder / "data" / "files").rglob("*") if file.is_file()]

    for message in messages:
        again = await env.wait_for_text(await fetched(env, message), "✅", "collected")
        assert len(again.files) == 1
        assert env.charged_images(env.author(message)) == 1
        assert len(env.submits_for(message)) == 1
    await env.wait_until_idle()
    check_accounts(env)


async def test_collecting_a_forbidden_file_can_be_retried(env: Environment) -> None:
    env.runcomfy.inject_fault("file", respond(403, RAW), times=None)
    try:
        message = await loses(env, MADE)
        again = await env.wait_for_text(await fetched(env, message), MADE, "Press Get images")
        assert again.files == []
    finally:
        env.runcomfy.clear_faults("file")
    assert len((await env.wait_for_text(await fetched(env, again), "✅")).files) == 1
    assert len(env.submits_for(message)) == 1


@pytest.mark.parametrize("status", [404, 410])
async def test_collecting_an_expired_file_refunds_it(env: Environment, status: int) -> None:
    env.runcomfy.inject_fault("file", respond(status, RAW), times=None)
    try:
        message = await loses(env, MADE, images=2)
        again = await env.wait_for_text(
            await fetched(env, message), "can't be collected anymore", "You weren't charged"
        )
    finally:
        env.runcomfy.clear_faults("file")
    assert "Get images" not in button_labels(again)
    assert (await env.wait_for_end(message))["refunded"] == 2
    refusal = await fetched(env, message)  # with the button of the older message
    assert refusal.is_ephemeral
    assert "you were refunded" in refusal.text
    assert "0 of" in await env.reply_to(env.author(message), "usage")
    check_accounts(env)


async def test_slow_file_does_not_delay_the_others(env: Environment) -> None:
    for fault in (respond(404, RAW), flood(TOO_MUCH)):
        env.runcomfy.inject_fault("file", fault)
    message = await env.imagine(env.new_member(), resolution="0.5K", num_images=4)
    await env.wait_for_text(message, "✅", "2 of 4 images arrived. Press Get images for 2 more.")
    await env.wait_for_end(message)
    assert len(message.files) == 2
    check_accounts(env)


async def test_missing_images_are_refunded_and_undelivered_ones_kept(env: Environment) -> None:
    env.runcomfy.inject_fault("result", edit_json(lambda body: body["output"]["images"].pop()))
    env.runcomfy.inject_fault("file", respond(404))
    message = await env.imagine(env.new_member(), resolution="0.5K", num_images=3)
    await env.wait_for_text(
        message, "✅", "1 of 3 images arrived. Press Get images for 1 more.", "1 image couldn't be generated"
    )
    row = await env.wait_for_end(message)
    assert (row["refunded"], row["budget_refunded"]) == (1, 1)
    check_accounts(env)


async def test_slow_files_arrive(env: Environment) -> None:
    env.runcomfy.inject_fault("file", trickle(3), times=2)
    before = len(env.runcomfy.calls)
    await expect_delivered(env, 2, of=2)
    assert [call.route for call in env.runcomfy.calls[before:]].count("file") == 2


async def test_redirect_of_a_file_is_not_followed(env: Environment) -> None:
    async with LocalRunComfy(seconds=0) as other:
        for address in (f"{other.url}/files/a/b/0_output.png", "/files/a/b/0_output.png"):
            env.runcomfy.inject_fault("file", respond(302, RAW, headers={"Location": address}))
            await loses(env, MADE)
        assert not other.calls
    assert "/files/a/b/0_output.png" not in [call.path for call in env.runcomfy.calls]
