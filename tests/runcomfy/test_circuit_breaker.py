"""The circuit breaker during an outage of RunComfy."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bot.errors import BotError, RunComfyUnavailableError, SubmissionUnknownError
from playground.runcomfy import Fault, LocalRunComfy, reset, respond
from tests.runcomfy.helpers import FOX, MODEL, routes

if TYPE_CHECKING:
    from bot.runcomfy.client import RunComfyClient

NO_ANSWER = {
    "502": respond(502, "<html>"),
    "no connection kept": reset(),
    "no JSON": respond(200, "<html>"),
    "a server's error code": respond(200, {"error_code": 500001}),
}
ANSWERS = {
    "429": respond(429, {}, headers={"Retry-After": "1"}),
    "no balance": respond(400, {"error_code": 400002}),
    "rejected token": respond(401, {}),
    "refused prompt": respond(422, {"error_code": 422001}),
    "another's request": respond(403, {"error_code": 403001}),
}


async def submit(client: RunComfyClient, times: int = 1) -> None:
    for _ in range(times):
        with suppress(BotError):
            await client.submit(MODEL, FOX)


@pytest.mark.parametrize("fault", NO_ANSWER.values(), ids=NO_ANSWER)
async def test_five_failed_requests_in_a_row_open_the_circuit(
    runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault
) -> None:
    runcomfy.inject_fault("submit", fault, times=None)
    await submit(client, 4)
    assert not client.is_down
    await submit(client)
    assert client.is_down


@pytest.mark.parametrize("fault", ANSWERS.values(), ids=ANSWERS)
async def test_error_response_does_not_count_as_a_failure(
    runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault
) -> None:
    runcomfy.inject_fault("submit", fault, times=None)
    await submit(client, 9)
    assert not client.is_down


async def test_success_resets_the_count(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    for _ in range(3):
        runcomfy.inject_fault("submit", NO_ANSWER["502"], times=4)
        await submit(client, 5)
    assert not client.is_down


async def test_open_circuit_sends_only_probes(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    runcomfy.inject_fault("submit", NO_ANSWER["502"], times=5)
    runcomfy.inject_fault("status", NO_ANSWER["502"], times=2)
    await submit(client, 5)
    back = asyncio.create_task(client.wait_until_available())
    sent = len(runcomfy.calls)
    with pytest.raises(RunComfyUnavailableError):
        await client.submit(MODEL, FOX)
    with pytest.raises(RunComfyUnavailableError):
        await client.result("request-1")
    with pytest.raises(RunComfyUnavailableError):
        await client.cancel("request-1")
    assert len(runcomfy.calls) == sent
    assert not back.done()
    await asyncio.wait_for(back, 20)
    assert routes(runcomfy)[sent:] == ["status"] * 3
    assert not client.is_down
    assert await client.submit(MODEL, FOX) in runcomfy.requests


async def test_one_request_that_always_fails_does_not_block_submits(
    runcomfy: LocalRunComfy, client: RunComfyClient
) -> None:
    async def fail_one(request: web.Request, good: web.Response | None) -> web.StreamResponse:
        assert good is not None
        return good if request.match_info["request_id"] != broken else web.Response(status=500)

    broken = await client.submit(MODEL, FOX)
    runcomfy.inject_fault("status", Fault(fail_one, is_after=True), times=None)
    for _ in range(5):
        with pytest.raises(RunComfyUnavailableError):
            await client.status(broken)
    await asyncio.wait_for(client.wait_until_available(), 30)
    assert await client.submit(MODEL, FOX) in runcomfy.requests


async def test_rejected_token_closes_the_circuit(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    runcomfy.inject_fault("submit", NO_ANSWER["502"], times=5)
    runcomfy.inject_fault("status", runcomfy.error_fault("token"))
    await submit(client, 5)
    await asyncio.wait_for(client.wait_until_available(), 20)
    assert routes(runcomfy)[5:] == ["status"]


async def test_submit_in_flight_when_the_circuit_opens_is_unknown(
    runcomfy: LocalRunComfy, client: RunComfyClient
) -> None:
    runcomfy.inject_fault("submit", NO_ANSWER["502"], times=6)
    results = await asyncio.gather(*(client.submit(MODEL, FOX) for _ in range(6)), return_exceptions=True)
    assert [type(result) for result in results] == [SubmissionUnknownError] * 6
    assert client.is_down
