"""Safe requests are retried; no response redirects the client or leaks into errors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.errors import (
    BotError,
    PromptRefusedError,
    RequestNotFoundError,
    RunComfyAuthError,
    RunComfyBalanceError,
    RunComfyProtocolError,
    RunComfyUnavailableError,
)
from bot.runcomfy import client as client_module
from bot.runcomfy.client import RunComfyClient
from bot.runcomfy.responses import Completed
from playground.runcomfy import Fault, LocalRunComfy, edit_json, reset, respond, stall
from tests.runcomfy.helpers import FOX, MODEL, finished_request, routes

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(("profile"), ["docs", "http"])
async def test_errors_in_both_profiles(session: aiohttp.ClientSession, profile: Any) -> None:
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
        runcomfy.inject_fault("submit", runcomfy.error_fault("balance"))
        with pytest.raises(RunComfyBalanceError):
            await client.submit(MODEL, FOX)


@pytest.mark.parametrize(
    "fault",
    [
        respond(404, {"error_code": 404001}),
        respond(403, {"error_code": 403001}),
        respond(400, {"error_code": 400001}),
        respond(200, {"error_code": 404001}),
    ],
)
async def test_expired_request_is_not_retried(
    runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault
) -> None:
    runcomfy.inject_fault("result", fault)
    with pytest.raises(RequestNotFoundError):
        await client.result("request-1")
    assert routes(runcomfy) == ["result"]


@pytest.mark.parametrize(
    "fault",
    [
        respond(429, {}),
        respond(429, {}, headers={"Retry-After": "3600"}),
        respond(503, {}, headers={"Retry-After": "Wed, 21 Oct 99999999999 07:28:00 GMT"}),
        respond(408, "<html>"),
        respond(404, "<html>"),
        respond(500, {"error_code": 500001}),
        respond(502, "<html>"),
        respond(200, "<html>"),
        respond(200, {"nothing": "useful"}),
        respond(200, {"error_code": 503000}),
        respond(302, "", headers={"Location": "/v1/models"}),
        reset(),
        reset(is_after=True),
        respond(418, "<html>"),
    ],
)
async def test_result_is_retried(runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault) -> None:
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault("result", fault, times=2)
    assert (await client.result(request_id)).urls
    runcomfy.inject_fault("result", fault, times=None)
    before = routes(runcomfy).count("result")
    with pytest.raises(RunComfyUnavailableError):
        await client.result(request_id)
    # aiohttp itself retries a GET if a reused connection breaks.
    assert 5 <= routes(runcomfy).count("result") - before <= 10


async def test_status_is_one_get(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault("status", respond(429, {}, headers={"Retry-After": "3600"}))
    before = routes(runcomfy).count("status")
    with pytest.raises(RunComfyUnavailableError) as caught:
        await client.status(request_id)
    assert caught.value.retry_after == 60
    assert routes(runcomfy).count("status") - before == 1
    assert await client.status(request_id) == Completed()


async def test_stalled_response_times_out_and_is_retried(
    runcomfy: LocalRunComfy, client: RunComfyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault("result", stall())
    assert (await client.result(request_id)).urls


async def test_urls_in_responses_are_not_followed(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    async with LocalRunComfy(seconds=0) as other:
        links = {
            f"{verb}_url": f"{other.url}/v1/requests/x/{verb}" for verb in ("status", "result", "cancel")
        }
        for route in ("submit", "status", "result", "cancel"):
            runcomfy.inject_fault(route, edit_json(lambda body: body.update(links)), times=None)
            runcomfy.inject_fault(route, respond(307, "", headers={"Location": other.url + "/v1/models"}))
        request_id = await finished_request(runcomfy, client)
        await client.status(request_id)
        await client.result(request_id)
        await client.cancel(request_id)
        assert not other.calls


@pytest.mark.parametrize("request_id", ["", "../x", "a/b", "a?b", "x" * 129, "a\n", "é"])
async def test_no_request_is_sent_for_an_impossible_id(
    runcomfy: LocalRunComfy, client: RunComfyClient, request_id: str
) -> None:
    with pytest.raises(ValueError, match="request_id"):
        await client.status(request_id)
    assert not runcomfy.calls


SPITEFUL = {"error_message": "bad token {token}", "detail": "{token} and a secret body"}


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 422, 429, 500])
@pytest.mark.parametrize("body", [SPITEFUL, "<html>{token} and a secret body"], ids=["json", "html"])
async def test_errors_and_logs_contain_neither_the_token_nor_the_body(
    runcomfy: LocalRunComfy,
    client: RunComfyClient,
    caplog: pytest.LogCaptureFixture,
    status: int,
    body: Any,
) -> None:
    caplog.set_level(logging.DEBUG)
    request_id = await finished_request(runcomfy, client)
    calls: dict[str, Callable[[], Any]] = {
        "submit": lambda: client.submit(MODEL, FOX),
        "status": lambda: client.status(request_id),
        "result": lambda: client.result(request_id),
        "cancel": lambda: client.cancel(request_id),
    }
    if status == 200 and isinstance(body, dict):
        body = {**body, "error_code": "{token}"}
    for route, call in calls.items():
        runcomfy.inject_fault(route, respond(status, body), times=None)
        with pytest.raises(BotError) as caught:
            await call()
        text = f"{caught.value} {caught.value!r} {caught.value.values} {caught.value.__dict__}"
        assert runcomfy.token not in text
        assert "secret" not in text
    assert runcomfy.token not in caplog.text
    assert "secret body" not in caplog.text


async def test_errors_and_logs_do_not_contain_the_reason_of_a_failure(
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
