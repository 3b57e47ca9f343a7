"""An order is posted once, whatever comes back."""

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
from bot.runcomfy import RunComfyClient
from bot.runcomfy import client as client_module
from bot.runcomfy.errors import InvalidResponseError
from playground.runcomfy import Fault, LocalRunComfy, answer, edit, reset, stall
from tests.runcomfy.orders import FOX, MODEL, ended, routes


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
    assert not isinstance(caught.value, InvalidResponseError), "this one is definite"
    assert len(runcomfy.submits) == 1


@pytest.mark.parametrize("fault", UNKNOWN)
async def test_an_unclear_answer_is_never_sent_again(
    runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault
) -> None:
    await client.status(await ended(runcomfy, client))  # so that the POST goes over a connection in use
    runcomfy.fail("submit", fault, times=None)
    with pytest.raises(SubmissionUnknownError):
        await client.submit(MODEL, FOX)
    assert len(runcomfy.submits) == 2
    assert routes(runcomfy).count("submit") == 2


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
    runcomfy.fail("submit", answer(429, {}, headers={"Retry-After": header}))
    with pytest.raises(RunComfyUnavailableError) as caught:
        await client.submit(MODEL, FOX)
    assert caught.value.retry_after is not None
    assert least <= caught.value.retry_after <= most
    assert client_module._retry_delay(caught.value) == min(60, caught.value.retry_after)


async def test_a_date_to_wait_for_is_told_by_the_answers_own_clock(
    runcomfy: LocalRunComfy, client: RunComfyClient
) -> None:
    headers = {"Date": "Wed, 21 Oct 2015 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}
    runcomfy.fail("submit", answer(429, {}, headers=headers))
    with pytest.raises(RunComfyUnavailableError) as caught:
        await client.submit(MODEL, FOX)
    assert caught.value.retry_after == 30


@pytest.mark.parametrize("header", ["soon", "-1", "1e9", "", "²"])
async def test_an_odd_retry_after_is_no_wish(
    runcomfy: LocalRunComfy, client: RunComfyClient, header: str
) -> None:
    runcomfy.fail("submit", answer(429, {}, headers={"Retry-After": header}))
    with pytest.raises(RunComfyUnavailableError) as caught:
        await client.submit(MODEL, FOX)
    assert caught.value.retry_after is None
    assert client_module._retry_delay(caught.value) is True
