"""The client against the local RunComfy, through real sockets."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.errors import (
    BotError,
    GenerationFailedError,
    PromptRefusedError,
    RequestNotFoundError,
    RunComfyAuthError,
    RunComfyBalanceError,
    RunComfyProtocolError,
    RunComfyUnavailableError,
    SubmissionUnknownError,
)
from bot.runcomfy import Cancelled, Completed, InProgress, InQueue, Result, RunComfyClient, Unknown
from bot.runcomfy import client as client_module
from playground.runcomfy import Fault, LocalRunComfy, answer, edit, reset, stall

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "google/nano-banana-2/text-to-image"
FOX = {"prompt": "a fox"}


def _routes(runcomfy: LocalRunComfy) -> list[str]:
    return [call.route for call in runcomfy.calls]


async def _ended(runcomfy: LocalRunComfy, client: RunComfyClient, prompt: str = "a fox") -> str:
    request_id = await client.submit(MODEL, {"prompt": prompt, "num_images": 2})
    await runcomfy.until(lambda: runcomfy.orders[request_id].finished_at)
    return request_id


async def test_an_order_from_queue_to_files(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    runcomfy.hold()
    first, second, third = [await client.submit(MODEL, FOX) for _ in range(3)]
    assert [await client.status(i) for i in (first, second, third)] == [InQueue(1), InQueue(2), InQueue(3)]
    assert runcomfy.start_next() == first
    assert [await client.status(i) for i in (first, third)] == [InProgress(), InQueue(2)]
    with pytest.raises(RunComfyUnavailableError, match="no result yet"):
        await client.result(first)
    runcomfy.finish(first)
    assert await client.status(first) == Completed()
    result = await client.result(first)
    assert len(result.urls) == 1
    assert [submit.input for submit in runcomfy.submits] == [FOX] * 3


async def test_a_failed_order_is_completed_and_has_no_result(
    runcomfy: LocalRunComfy, client: RunComfyClient
) -> None:
    runcomfy.hold()
    request_id = await client.submit(MODEL, FOX)
    runcomfy.start_next()
    runcomfy.finish(request_id, error="out of memory")
    assert await client.status(request_id) == Completed()
    with pytest.raises(GenerationFailedError):
        await client.result(request_id)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("worker died", GenerationFailedError),
        ({"code": "E1", "message": "worker died", "details": {}}, GenerationFailedError),
        (None, GenerationFailedError),
        ("Blocked by the SAFETY filter", PromptRefusedError),
        ({"code": "CONTENT_POLICY", "details": {}}, PromptRefusedError),
        ({"message": "flagged by moderation"}, PromptRefusedError),
        ("model refused the prompt", PromptRefusedError),
        ({"error_message": ["prohibited content"]}, PromptRefusedError),
        ("Sensitive words", PromptRefusedError),
    ],
)
async def test_how_a_failure_is_told_apart(
    runcomfy: LocalRunComfy, client: RunComfyClient, error: Any, expected: type[BotError]
) -> None:
    request_id = await _ended(runcomfy, client)
    runcomfy.fail(
        "result", edit(lambda body: (body.pop("output"), body.update(status="failed", error=error)))
    )
    with pytest.raises(expected) as caught:
        await client.result(request_id)
    assert type(caught.value) is expected


async def test_a_prompt_that_asks_for_it_is_refused(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    request_id = await _ended(runcomfy, client, "please refuse this")
    with pytest.raises(PromptRefusedError):
        await client.result(request_id)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("FAILED", Completed()),
        ("succeeded", Completed()),
        ("canceled", Cancelled()),
        ("Cancelled", Cancelled()),
        ("pending", InQueue(None)),
        ("waiting", InQueue(None)),
        ("queued", InQueue(None)),
        ("starting", InProgress()),
        ("processing", InProgress()),
        ("dreaming", Unknown("dreaming")),
    ],
)
async def test_words_for_a_status(
    runcomfy: LocalRunComfy, client: RunComfyClient, status: str, expected: object
) -> None:
    request_id = await _ended(runcomfy, client)
    runcomfy.fail("status", edit(lambda body: body.update(status=status)))
    assert await client.status(request_id) == expected


@pytest.mark.parametrize("position", ["soon", None, [3], 1.5])
async def test_an_odd_queue_position_spoils_nothing(
    runcomfy: LocalRunComfy, client: RunComfyClient, position: object
) -> None:
    runcomfy.hold()
    request_id = await client.submit(MODEL, FOX)
    runcomfy.fail("status", edit(lambda body: body.update(queue_position=position)))
    assert await client.status(request_id) == InQueue(None)


@pytest.mark.parametrize(
    ("output", "urls"),
    [
        ({"images": ["a", "b"]}, ("a", "b")),
        ({"images": ["a", "b", "a"], "image": "c"}, ("a", "b")),
        ({"image": "a"}, ("a",)),
        ({"images": [], "image": "a"}, ("a",)),
        ({"images": ["", None, 3, "a"]}, ("a",)),
        ({"image": ["a", "a"]}, ("a",)),
        ("a", ("a",)),
        (["a", "a", "b"], ("a", "b")),
        ({"images": []}, None),
        ({"video": "a"}, None),
        ({}, None),
        ("", None),
        (None, None),
    ],
)
async def test_shapes_of_output(
    runcomfy: LocalRunComfy, client: RunComfyClient, output: Any, urls: tuple[str, ...] | None
) -> None:
    request_id = await _ended(runcomfy, client)
    stray = {"image_urls": ["http://elsewhere/input.png"]}
    runcomfy.fail("result", edit(lambda body: body.update(output=output, input=stray, image="stray")))
    if urls is None:
        with pytest.raises(GenerationFailedError, match="without output"):
            await client.result(request_id)
    else:
        assert await client.result(request_id) == Result(urls)


@pytest.mark.parametrize("status", ["completed", "SUCCEEDED"])
async def test_both_words_for_success(runcomfy: LocalRunComfy, client: RunComfyClient, status: str) -> None:
    request_id = await _ended(runcomfy, client)
    runcomfy.fail("result", edit(lambda body: body.update(status=status)))
    assert len((await client.result(request_id)).urls) == 2


async def test_success_without_an_output_key(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    request_id = await _ended(runcomfy, client)
    runcomfy.fail("result", edit(lambda body: body.pop("output")))
    with pytest.raises(GenerationFailedError):
        await client.result(request_id)


async def test_cancel_in_the_queue_and_too_late(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    runcomfy.hold()
    running, queued = await client.submit(MODEL, FOX), await client.submit(MODEL, FOX)
    runcomfy.start_next()
    assert not await client.cancel(running)
    assert await client.cancel(queued)
    assert await client.cancel(queued), "cancelling twice is harmless"
    assert await client.status(queued) == Cancelled()
    with pytest.raises(GenerationFailedError, match="cancelled"):
        await client.result(queued)
    runcomfy.finish(running)
    assert not await client.cancel(running)
    assert (await client.result(running)).urls


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"status": "completed", "outcome": "cancelled"}, True),
        ({"status": "cancelled", "outcome": "not_cancellable"}, False),
        ({"status": "canceled"}, True),
        ({"status": "cancelled", "outcome": None}, True),
        ({"outcome": "CANCELED"}, True),
        ({"status": "in_progress"}, False),
        ({"outcome": {"odd": 1}}, False),
        ({}, False),
    ],
)
async def test_the_outcome_decides_a_cancel(
    runcomfy: LocalRunComfy, client: RunComfyClient, body: dict[str, Any], *, expected: bool
) -> None:
    runcomfy.hold()
    request_id = await client.submit(MODEL, FOX)
    runcomfy.fail("cancel", answer(202, body))
    assert await client.cancel(request_id) is expected


async def test_a_cancel_is_repeated_until_answered(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    runcomfy.hold()
    request_id = await client.submit(MODEL, FOX)
    runcomfy.fail("cancel", reset(after=True))
    assert await client.cancel(request_id)
    assert _routes(runcomfy).count("cancel") == 2


def _drop(*keys: str) -> Fault:
    return edit(lambda body: [body.pop(key) for key in keys])


REFUSED: list[tuple[Fault, type[BotError]]] = [
    (answer(400, {"error_code": 400002, "error_message": "no"}), RunComfyBalanceError),
    (answer(402, {"message": "no"}), RunComfyBalanceError),
    (answer(200, {"error_code": 400002}), RunComfyBalanceError),
    (answer(400, {"error_code": 400004}), RunComfyAuthError),
    (answer(400, {"error_code": "400004"}), RunComfyAuthError),
    (answer(400, {"error": {"error_code": 400004}}), RunComfyAuthError),
    (answer(401, "<html>"), RunComfyAuthError),
    (answer(403, {}), RunComfyAuthError),
    (answer(400, {"error_code": 400001}), RunComfyProtocolError),
    (answer(404, {"error_code": 404001}), RunComfyProtocolError),
    (answer(404, "<html>"), RunComfyProtocolError),
    (answer(405, "<html>"), RunComfyProtocolError),
    (answer(422, {"error_code": 422001, "detail": []}), PromptRefusedError),
    (answer(400, {"message": "aspect_ratio"}), PromptRefusedError),
    (answer(413, "<html>"), PromptRefusedError),
    (answer(200, {"error_code": 422001}), PromptRefusedError),
    (answer(429, {}), RunComfyUnavailableError),
    (answer(429, "<html>"), RunComfyUnavailableError),
    (answer(200, {"error_code": 429000}), RunComfyUnavailableError),
]
UNKNOWN = [
    answer(500, {"message": "oops"}),
    answer(502, "<html>"),
    answer(503, "<html>", headers={"Retry-After": "5"}, after=True),
    answer(504, "<html>", after=True),
    answer(408, "<html>"),
    answer(200, "<html>", after=True),
    answer(200, "[1]", after=True),
    answer(200, b"\xff\xfe{", after=True),
    answer(200, b"[" * 100_000, after=True),
    answer(200, b" " * (2**20 + 1) + b'{"request_id": "x"}', after=True),
    answer(200, {"error_code": 500001}, after=True),
    answer(200, {"error_code": 7}, after=True),
    answer(302, "", headers={"Location": "/v1/models/" + MODEL}),
    answer(307, "", headers={"Location": "/v1/models/" + MODEL}),
    reset(),
    reset(after=True),
    _drop("request_id"),
    edit(lambda body: body.update(request_id="")),
    edit(lambda body: body.update(request_id="../../secrets")),
    edit(lambda body: body.update(request_id="x" * 129)),
    edit(lambda body: body.update(request_id="line\n")),
    edit(lambda body: body.update(request_id=7)),
]


@pytest.mark.parametrize(("fault", "expected"), REFUSED)
async def test_a_definite_refusal_costs_one_post(
    runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault, expected: type[BotError]
) -> None:
    runcomfy.fail("submit", fault)
    with pytest.raises(expected) as caught:
        await client.submit(MODEL, FOX)
    assert isinstance(caught.value, expected)
    assert not isinstance(caught.value, client_module._NoAnswerError), "this one is definite"
    assert len(runcomfy.submits) == 1


@pytest.mark.parametrize("fault", UNKNOWN)
async def test_an_unclear_answer_is_never_sent_again(
    runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault
) -> None:
    await client.status(await _ended(runcomfy, client))  # so that the POST goes over a connection in use
    runcomfy.fail("submit", fault, times=None)
    with pytest.raises(SubmissionUnknownError):
        await client.submit(MODEL, FOX)
    assert len(runcomfy.submits) == 2
    assert _routes(runcomfy).count("submit") == 2


async def test_an_order_without_an_answer_in_time(
    runcomfy: LocalRunComfy, client: RunComfyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_SUBMIT_TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    runcomfy.fail("submit", stall(after=True))
    with pytest.raises(SubmissionUnknownError, match="TimeoutError"):
        await client.submit(MODEL, FOX)
    assert len(runcomfy.submits) == 1


async def test_real_trouble_before_anything_is_sent(
    session: aiohttp.ClientSession, unused_tcp_port: int, runcomfy: LocalRunComfy
) -> None:
    addresses = (
        f"http://127.0.0.1:{unused_tcp_port}",  # refused
        "http://no-such-host.invalid",  # no address
        runcomfy.url.replace("http:", "https:"),  # no TLS there
    )
    for address in addresses:
        client = RunComfyClient(session, api_url=address, token=runcomfy.token)
        with pytest.raises(RunComfyUnavailableError, match="no connection"):
            await client.submit(MODEL, FOX)
    assert not runcomfy.submits


@pytest.mark.parametrize(("profile"), ["docs", "http"])
async def test_refusals_in_both_profiles(session: aiohttp.ClientSession, profile: Any) -> None:
    async with LocalRunComfy(seconds=0, profile=profile) as runcomfy:
        client = RunComfyClient(session, api_url=runcomfy.url + "/", token=runcomfy.token)
        stranger = RunComfyClient(session, api_url=runcomfy.url, token=runcomfy.token[::-1])
        with pytest.raises(RunComfyAuthError):
            await stranger.submit(MODEL, FOX)
        with pytest.raises(RunComfyAuthError):
            await stranger.status("some-request")
        with pytest.raises(RunComfyProtocolError):
            await client.submit("google/no-such-model", FOX)
        with pytest.raises(PromptRefusedError):
            await client.submit(MODEL, {"prompt": " "})
        with pytest.raises(RequestNotFoundError):
            await client.status("no-such-request")
        with pytest.raises(RequestNotFoundError):
            await client.cancel("no-such-request")
        runcomfy.fail("submit", runcomfy.refusal("balance"))
        with pytest.raises(RunComfyBalanceError):
            await client.submit(MODEL, FOX)


@pytest.mark.parametrize(
    "fault",
    [
        answer(404, {"error_code": 404001}),
        answer(403, {"error_code": 403001}),
        answer(400, {"error_code": 400001}),
        answer(200, {"error_code": 404001}),
    ],
)
async def test_a_request_that_is_gone_is_asked_for_once(
    runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault
) -> None:
    runcomfy.fail("result", fault)
    with pytest.raises(RequestNotFoundError):
        await client.result("request-1")
    assert _routes(runcomfy) == ["result"]


@pytest.mark.parametrize(
    "fault",
    [
        answer(429, {}),
        answer(429, {}, headers={"Retry-After": "3600"}),
        answer(408, "<html>"),
        answer(500, {"error_code": 500001}),
        answer(502, "<html>"),
        answer(200, "<html>"),
        answer(200, {"nothing": "useful"}),
        answer(200, {"error_code": 503000}),
        answer(302, "", headers={"Location": "/v1/models"}),
        reset(),
        reset(after=True),
        answer(418, "<html>"),
    ],
)
async def test_looking_is_tried_again(runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault) -> None:
    request_id = await _ended(runcomfy, client)
    runcomfy.fail("status", fault, times=2)
    assert await client.status(request_id) == Completed()
    runcomfy.fail("status", fault, times=None)
    asked = _routes(runcomfy).count("status")
    with pytest.raises(RunComfyUnavailableError):
        await client.status(request_id)
    # aiohttp itself repeats a GET whose connection was in use before and broke.
    assert 5 <= _routes(runcomfy).count("status") - asked <= 10


async def test_an_answer_that_never_comes_is_given_up(
    runcomfy: LocalRunComfy, client: RunComfyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    request_id = await _ended(runcomfy, client)
    runcomfy.fail("status", stall())
    assert await client.status(request_id) == Completed()


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        (format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True), 86000, 86400),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)
async def test_retry_after_is_read(
    runcomfy: LocalRunComfy, client: RunComfyClient, header: str, least: float, most: float
) -> None:
    runcomfy.fail("submit", answer(429, {}, headers={"Retry-After": header}))
    with pytest.raises(RunComfyUnavailableError) as caught:
        await client.submit(MODEL, FOX)
    assert caught.value.retry_after is not None
    assert least <= caught.value.retry_after <= most
    assert client_module._pause(caught.value) == min(60, caught.value.retry_after)


@pytest.mark.parametrize("header", ["soon", "-1", "1e9", "", "²"])
async def test_an_odd_retry_after_is_no_wish(
    runcomfy: LocalRunComfy, client: RunComfyClient, header: str
) -> None:
    runcomfy.fail("submit", answer(429, {}, headers={"Retry-After": header}))
    with pytest.raises(RunComfyUnavailableError) as caught:
        await client.submit(MODEL, FOX)
    assert caught.value.retry_after is None
    assert client_module._pause(caught.value) is True


async def test_addresses_in_answers_are_never_followed(
    runcomfy: LocalRunComfy, client: RunComfyClient
) -> None:
    async with LocalRunComfy(seconds=0) as evil:
        links = {f"{verb}_url": f"{evil.url}/v1/requests/x/{verb}" for verb in ("status", "result", "cancel")}
        for route in ("submit", "status", "result", "cancel"):
            runcomfy.fail(route, edit(lambda body: body.update(links)), times=None)
            runcomfy.fail(route, answer(307, "", headers={"Location": evil.url + "/v1/models"}))
        request_id = await _ended(runcomfy, client)
        await client.status(request_id)
        await client.result(request_id)
        await client.cancel(request_id)
        assert not evil.calls


@pytest.mark.parametrize("request_id", ["", "../x", "a/b", "a?b", "x" * 129, "a\n", "é"])
async def test_no_call_is_made_for_an_impossible_id(
    runcomfy: LocalRunComfy, client: RunComfyClient, request_id: str
) -> None:
    with pytest.raises(ValueError, match="request_id"):
        await client.status(request_id)
    assert not runcomfy.calls


SPITEFUL = {"error_message": "bad token {token}", "detail": "{token} and a secret body"}


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 422, 429, 500])
@pytest.mark.parametrize("body", [SPITEFUL, "<html>{token} and a secret body"], ids=["json", "html"])
async def test_nothing_repeats_the_token_or_the_body(
    runcomfy: LocalRunComfy,
    client: RunComfyClient,
    caplog: pytest.LogCaptureFixture,
    status: int,
    body: Any,
) -> None:
    caplog.set_level(logging.DEBUG)
    request_id = await _ended(runcomfy, client)
    calls: dict[str, Callable[[], Any]] = {
        "submit": lambda: client.submit(MODEL, FOX),
        "status": lambda: client.status(request_id),
        "result": lambda: client.result(request_id),
        "cancel": lambda: client.cancel(request_id),
    }
    if status == 200 and isinstance(body, dict):
        body = {**body, "error_code": "{token}"}
    for route, call in calls.items():
        runcomfy.fail(route, answer(status, body), times=None)
        with pytest.raises(BotError) as caught:
            await call()
        told = f"{caught.value} {caught.value!r} {caught.value.values} {caught.value.__dict__}"
        assert runcomfy.token not in told
        assert "secret" not in told
    assert runcomfy.token not in caplog.text
    assert "secret body" not in caplog.text


async def test_a_reason_for_failure_is_not_repeated(
    runcomfy: LocalRunComfy, client: RunComfyClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    runcomfy.hold()
    request_id = await client.submit(MODEL, FOX)
    runcomfy.start_next()
    runcomfy.finish(request_id, error=f"blocked: {runcomfy.token}")
    with pytest.raises(PromptRefusedError) as caught:
        await client.result(request_id)
    assert runcomfy.token not in f"{caught.value!r} {caplog.text}"
