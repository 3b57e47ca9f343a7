"""RunComfy's responses about a submitted job: two vocabularies, odd shapes, and no answer at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import Fault, edit_json, reset, respond
from tests.e2e.environment import RAW, button_labels
from tests.e2e.outcomes import expect_delivered, expect_failed, response_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


def outputs(change: Callable[[list[str]], object]) -> Fault:
    return edit_json(lambda body: body.update(output=change(body["output"]["images"])))


@pytest.mark.parametrize("word", ["completed", "succeeded", "COMPLETED", "failed"])
async def test_result_decides_regardless_of_the_final_status(env: Environment, word: str) -> None:
    env.runcomfy.inject_fault("status", response_with(status=word))
    await expect_delivered(env)


async def test_status_that_is_not_final_is_polled_again(env: Environment) -> None:
    words = ("dreaming", "processing", "pending", "")
    for word in words:
        env.runcomfy.inject_fault("status", response_with(status=word))
    await asyncio.gather(*(expect_delivered(env) for _ in words))


SHAPES: dict[str, Callable[[list[str]], object]] = {
    "images": lambda urls: {"images": urls},
    "image": lambda urls: {"image": urls[0]},
    "empty images beside an image": lambda urls: {"images": [], "image": urls[0]},
    "a string": lambda urls: urls[0],
    "a list": lambda urls: urls,
    "twice the same": lambda urls: {"images": [urls[0], urls[0]], "image": urls[0]},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
async def test_every_shape_of_output(env: Environment, shape: Callable[[list[str]], object]) -> None:
    env.runcomfy.inject_fault("result", outputs(shape))
    await expect_delivered(env)


async def test_urls_outside_the_output_are_ignored(env: Environment) -> None:
    strange = f"{env.runcomfy.url}/strange.png"
    env.runcomfy.inject_fault(
        "result", response_with(input={"image": strange, "images": [strange]}, image=strange)
    )
    await expect_delivered(env)
    assert "/strange.png" not in [call.path for call in env.runcomfy.calls]


async def test_result_can_be_later_than_the_status(env: Environment) -> None:
    unfinished = edit_json(lambda body: (body.pop("output"), body.update(status="in_progress")))
    env.runcomfy.inject_fault("result", unfinished)
    env.runcomfy.inject_fault("result", response_with(status="completed"))
    await expect_delivered(env)


async def test_missing_images_are_refunded(env: Environment) -> None:
    env.runcomfy.inject_fault("result", outputs(lambda urls: {"images": [urls[0], urls[2], urls[0]]}))
    message = await expect_delivered(env, 2, of=4)
    assert "2 of 4 images" in message.text


@pytest.mark.parametrize("output", [None, {}, {"images": []}, {"video": "a"}, "", [None, 7]], ids=str)
async def test_success_without_images_is_a_failure(env: Environment, output: object) -> None:
    env.runcomfy.inject_fault("result", response_with(output=output))
    await expect_failed(env)


ERRORS: list[object] = [None, RAW, {"message": RAW}, {"code": 7, "message": RAW, "details": {}}, [RAW]]


@pytest.mark.parametrize("error", ERRORS, ids=["none", "text", "message", "code", "list"])
async def test_message_of_a_failed_result_is_not_shown(env: Environment, error: object) -> None:
    env.runcomfy.inject_fault(
        "result", edit_json(lambda body: (body.pop("output"), body.update(status="failed", error=error)))
    )
    message = await expect_failed(env)
    assert "blocked" not in message.text


async def test_refused_prompt_is_reported(env: Environment) -> None:
    message = await env.imagine(prompt="please refuse this", resolution="0.5K")
    await env.wait_for_text(message, "blocked this prompt", "You weren't charged")
    assert button_labels(message) == ["Edit prompt"]
    assert (await env.wait_for_end(message))["refunded"] == 1
    assert len(env.submits_for(message)) == 1
    # RunComfy's own text, which the local one uses too.
    assert "filter refused" not in message.text


@pytest.mark.parametrize("word", ["cancelled", "canceled"])
async def test_job_cancelled_by_runcomfy(env: Environment, word: str) -> None:
    person = env.new_member()
    env.runcomfy.inject_fault("status", response_with(status=word))
    message = await env.wait_for_text(await env.imagine(person, resolution="0.5K"), "Canceled")
    assert (await env.wait_for_end(message))["refunded"] == 1
    assert env.charged_images(person) == 0


GONE = {
    "404": respond(404, {"message": RAW}),
    "404001": respond(404, {"error_code": 404001, "error_message": RAW}),
    "404001 on HTTP 200": respond(200, {"error_code": 404001, "error_message": RAW}),
    "another's": respond(403, {"error_code": 403001, "error_message": RAW}),
    "400001": respond(400, {"error_code": 400001, "error_message": RAW}),
}


@pytest.mark.parametrize("fault", GONE.values(), ids=GONE)
async def test_unknown_request(env: Environment, fault: Fault) -> None:
    env.runcomfy.inject_fault("status", fault, times=None)
    await expect_failed(env)
    env.runcomfy.clear_faults("status")


@pytest.mark.parametrize("route", ["status", "result"])
@pytest.mark.parametrize("fault", GONE.values(), ids=GONE)
async def test_request_not_yet_known_is_polled_again(env: Environment, fault: Fault, route: str) -> None:
    env.runcomfy.inject_fault(route, fault)
    await expect_delivered(env)


PASSING = [
    reset(),
    respond(429, {"message": RAW}, headers={"Retry-After": "0"}),
    respond(500, f"<html>{RAW} {{token}}</html>"),
    respond(503, f"<html>{RAW}</html>"),
    respond(404, f"<html>{RAW} {{token}}</html>"),
    respond(200, f"<html>{RAW} {{token}}</html>"),
    respond(200, {"message": RAW}),
    respond(200, {"error_code": 500001, "error_message": f"{RAW} {{token}}"}),
]


async def test_polls_are_retried(env: Environment) -> None:
    for fault in PASSING:
        env.runcomfy.inject_fault("status", fault)
        env.runcomfy.inject_fault("result", fault)
    before = len(env.runcomfy.calls)
    await asyncio.gather(*(expect_delivered(env) for _ in PASSING))
    routes = [call.route for call in env.runcomfy.calls[before:]]
    assert routes.count("submit") == len(PASSING)
    assert routes.count("status") >= 2 * len(PASSING)
    assert routes.count("result") >= 2 * len(PASSING)
