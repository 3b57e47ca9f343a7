"""A job is submitted with one POST, whatever the response is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest

from bot.errors import (
    BotError,
    PromptRefusedError,
    RunComfyAuthError,
    RunComfyBalanceError,
    RunComfyProtocolError,
    RunComfyUnavailableError,
    SubmissionUnknownError,
)
from bot.runcomfy import client as client_module
from bot.runcomfy.client import RunComfyClient
from bot.runcomfy.errors import InvalidResponseError
from playground.runcomfy import Fault, LocalRunComfy, edit_json, reset, respond, stall
from tests.runcomfy.helpers import FOX, MODEL, finished_request, routes


def _drop(*keys: str) -> Fault:
    return edit_json(lambda body: [body.pop(key) for key in keys])


DEFINITE: list[tuple[Fault, type[BotError]]] = [
    (respond(400, {"error_code": 400002, "error_message": "no"}), RunComfyBalanceError),
    (respond(402, {"message": "no"}), RunComfyBalanceError),
    (respond(200, {"error_code": 400002}), RunComfyBalanceError),
    (respond(400, {"error_code": 400004}), RunComfyAuthError),
    (respond(400, {"error_code": "400004"}), RunComfyAuthError),
    (respond(400, {"error": {"error_code": 400004}}), RunComfyAuthError),
    (respond(401, "<html>"), RunComfyAuthError),
    (respond(403, {}), RunComfyAuthError),
    (respond(400, {"error_code": 400001}), RunComfyProtocolError),
    (respond(404, {"error_code": 404001}), RunComfyProtocolError),
    (respond(404, "<html>"), RunComfyProtocolError),
    (respond(405, "<html>"), RunComfyProtocolError),
    (respond(422, {"error_code": 422001, "detail": []}), PromptRefusedError),
    (respond(400, {"message": "aspect_ratio"}), PromptRefusedError),
    (respond(413, "<html>"), PromptRefusedError),
    (respond(200, {"error_code": 422001}), PromptRefusedError),
    (respond(429, {}), RunComfyUnavailableError),
    (respond(429, "<html>"), RunComfyUnavailableError),
    (respond(200, {"error_code": 429000}), RunComfyUnavailableError),
]
UNKNOWN = [
    respond(500, {"message": "oops"}),
    respond(502, "<html>"),
    respond(503, "<html>", headers={"Retry-After": "5"}, is_after=True),
    respond(504, "<html>", is_after=True),
    respond(408, "<html>"),
    respond(200, "<html>", is_after=True),
    respond(200, "[1]", is_after=True),
    respond(200, b"\xff\xfe{", is_after=True),
    respond(200, b"[" * 100_000, is_after=True),
    respond(200, b" " * (2**20 + 1) + b'{"request_id": "x"}', is_after=True),
    respond(200, {"error_code": 500001}, is_after=True),
    respond(200, {"error_code": 7}, is_after=True),
    respond(302, "", headers={"Location": "/v1/models/" + MODEL}),
    respond(307, "", headers={"Location": "/v1/models/" + MODEL}),
    reset(),
    reset(is_after=True),
    _drop("request_id"),
    edit_json(lambda body: body.update(request_id="")),
    edit_json(lambda body: body.update(request_id="../../secrets")),
    edit_json(lambda body: body.update(request_id="x" * 129)),
    edit_json(lambda body: body.update(request_id="line\n")),
    edit_json(lambda body: body.update(request_id=7)),
]


@pytest.mark.parametrize(("fault", "expected"), DEFINITE)
async def test_definite_error_is_one_post(
    runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault, expected: type[BotError]
) -> None:
    runcomfy.inject_fault("submit", fault)
    with pytest.raises(expected) as caught:
        await client.submit(MODEL, FOX)
    assert isinstance(caught.value, expected)
    assert not isinstance(caught.value, InvalidResponseError), "this one is definite"
    assert len(runcomfy.submits) == 1


@pytest.mark.parametrize("fault", UNKNOWN)
async def test_unknown_submission_is_never_sent_again(
    runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault
) -> None:
    await client.status(await finished_request(runcomfy, client))  # so that the POST reuses a connection
    runcomfy.inject_fault("submit", fault, times=None)
    with pytest.raises(SubmissionUnknownError):
        await client.submit(MODEL, FOX)
    assert len(runcomfy.submits) == 2
    assert routes(runcomfy).count("submit") == 2


async def test_submit_that_times_out_is_unknown(
    runcomfy: LocalRunComfy, client: RunComfyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_SUBMIT_TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    runcomfy.inject_fault("submit", stall(is_after=True))
    with pytest.raises(SubmissionUnknownError, match="TimeoutError"):
        await client.submit(MODEL, FOX)
    assert len(runcomfy.submits) == 1


async def test_connection_errors_before_anything_is_sent(
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


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("61", 60, 60),
        (format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True), 60, 60),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
    ids=[
        "seconds",
        "too many",
        "tomorrow",
        "long ago",
    ],  # no times: ids are the same in all processes
)
async def test_retry_after_is_read(
    runcomfy: LocalRunComfy, client: RunComfyClient, header: str, least: float, most: float
) -> None:
    runcomfy.inject_fault("submit", respond(429, {}, headers={"Retry-After": header}))
    with pytest.raises(RunComfyUnavailableError) as caught:
        await client.submit(MODEL, FOX)
    assert caught.value.retry_after is not None
    assert least <= caught.value.retry_after <= most
    assert client_module._retry_delay(caught.value) == min(60, caught.value.retry_after)


async def test_retry_after_date_is_relative_to_the_response_date(
    runcomfy: LocalRunComfy, client: RunComfyClient
) -> None:
    headers = {"Date": "Wed, 21 Oct 2015 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}
    runcomfy.inject_fault("submit", respond(429, {}, headers=headers))
    with pytest.raises(RunComfyUnavailableError) as caught:
        await client.submit(MODEL, FOX)
    assert caught.value.retry_after == 30


@pytest.mark.parametrize("header", ["soon", "-1", "1e9", "", "²"])
async def test_invalid_retry_after_is_ignored(
    runcomfy: LocalRunComfy, client: RunComfyClient, header: str
) -> None:
    runcomfy.inject_fault("submit", respond(429, {}, headers={"Retry-After": header}))
    with pytest.raises(RunComfyUnavailableError) as caught:
        await client.submit(MODEL, FOX)
    assert caught.value.retry_after is None
    assert client_module._retry_delay(caught.value) is True
