"""Submits with pictures: the body is exact JSON, streamed, and its POST is sent once."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import tracemalloc
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.errors import (
    InputUnavailableError,
    PromptRefusedError,
    RunComfyUnavailableError,
    SubmissionUnknownError,
)
from bot.media.input_image import data_uri_length
from bot.runcomfy import request_body
from bot.runcomfy.client import RunComfyClient
from bot.runcomfy.errors import InvalidResponseError
from bot.runcomfy.request_body import RequestBody
from bot.runcomfy.responses import Completed
from playground.runcomfy.catalogue import catalogue_entry
from tests.image_files import picture
from tests.runcomfy.helpers import FOX
from tests.runcomfy.test_local_file_inputs import EDIT, SCHEMA
from tests.tcp import tcp_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from pydantic import JsonValue

    from bot.runcomfy.request_body import PictureValues
    from playground.runcomfy import LocalRunComfy

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

ACCEPTED = b'{"request_id": "r-1"}'
MIB = 2**20


@asynccontextmanager
async def server(handle: Handler, **options: Any) -> AsyncIterator[RunComfyClient]:
    """A client of a server that reads and answers as it likes."""
    async with tcp_server(handle) as port, aiohttp.ClientSession() as session:
        client = RunComfyClient(session, api_url=f"http://127.0.0.1:{port}", token="secret", **options)  # noqa: S106 (of no service)
        yield client
        client.close()


def answer(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def read_head(reader: asyncio.StreamReader) -> dict[str, str]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    return dict(line.lower().split(": ", 1) for line in lines[1:] if line)


def uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def files(folder: Path, *sizes: int) -> list[Path]:
    paths = [folder / f"input-{number}.png" for number in range(1, len(sizes) + 1)]
    for path, size in zip(paths, sizes, strict=True):
        path.write_bytes(os.urandom(size))
    return paths


@pytest.mark.parametrize("sizes", [(1,), (2, 3), (1000, 3 * 2**18, 3 * 2**18 + 1), (6 * MIB, 5 * MIB)])
async def test_body_is_exact_json(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    first, *rest = pictures = files(tmp_path, *sizes)
    values: dict[str, JsonValue] = {
        "prompt": 'a "fox" 🦊 \n ' + "x" * 32,
        "seed": 7,
        "safe": True,
        "ratio": 1.5,
        "none": None,
    }
    received: dict[str, Any] = {}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.update(await read_head(reader))
        received["body"] = await reader.readexactly(int(received["content-length"]))
        writer.write(answer(ACCEPTED))
        received["more"] = await reader.read()

    async with server(handle) as client:
        given: PictureValues = {
            "images": pictures,
            "mask": first,
            "links": ["https://a/b?c=d&e"],
            "link": "https://f",
        }
        assert await client.submit(EDIT, values, given) == "r-1"
    assert received["content-type"] == "application/json"
    assert received["authorization"] == "bearer secret"
    assert "transfer-encoding" not in received
    assert received["more"] == b""
    uris = [uri(path.read_bytes()) for path in (first, *rest)]
    expected = {"images": uris, "mask": uris[0], "links": ["https://a/b?c=d&e"], "link": "https://f"}
    assert json.loads(received["body"]) == {**values, **expected}


async def test_local_runcomfy_gets_the_pictures(
    runcomfy: LocalRunComfy, client: RunComfyClient, tmp_path: Path
) -> None:
    runcomfy.catalogue[EDIT] = catalogue_entry(EDIT, SCHEMA)
    (path := tmp_path / "input-1.png").write_bytes(picture("PNG"))
    request_id = await client.submit(EDIT, FOX, {"image_urls": [path]})
    assert runcomfy.submits[0].input == {**FOX, "image_urls": [uri(picture("PNG"))]}
    await runcomfy.until(lambda: runcomfy.requests[request_id].finished_at)
    assert (await client.result(request_id)).urls


async def test_only_one_picture_at_a_time_is_in_memory(tmp_path: Path) -> None:
    pictures = files(tmp_path, *[4 * MIB] * 5)
    body = await RequestBody.build(FOX, {"images": pictures})
    sent = 0
    tracemalloc.start()
    try:
        async with body.time_limit:
            async for block in body.blocks():
                sent += len(block)
        assert tracemalloc.get_traced_memory()[1] < 12 * MIB
    finally:
        tracemalloc.stop()
    assert sent == body.length > 26 * MIB


def breaks_after(read: int) -> Handler:
    """Close the connection after so many bytes of the body."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await reader.readexactly(read)
        writer.transport.abort()

    return handle


@pytest.mark.parametrize("read", [0, 1, MIB])
async def test_connection_that_breaks_before_the_end_submitted_nothing(tmp_path: Path, read: int) -> None:
    async with server(breaks_after(read)) as client:
        with pytest.raises(RunComfyUnavailableError) as caught:
            await client.submit(EDIT, FOX, {"images": files(tmp_path, *[6 * MIB] * 3)})
    assert not isinstance(caught.value, InvalidResponseError)


@pytest.mark.parametrize("size", [100, 6 * MIB])
async def test_answer_that_is_lost_after_the_end_is_unknown(tmp_path: Path, size: int) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        await reader.readexactly(int(head["content-length"]))
        writer.transport.abort()

    async with server(handle) as client:
        with pytest.raises(SubmissionUnknownError):
            await client.submit(EDIT, FOX, {"images": files(tmp_path, size)})


async def test_picture_that_is_missing_is_noticed_before_anything_is_sent(tmp_path: Path) -> None:
    requests = []

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        requests.append(await reader.read(1))

    async with server(handle) as client:
        with pytest.raises(InputUnavailableError, match="No such file"):
            await client.submit(EDIT, FOX, {"images": [tmp_path / "input-1.png"]})
    assert requests == []


@pytest.mark.parametrize("is_gone", [True, False])
async def test_picture_that_disappears_meanwhile_submits_nothing(tmp_path: Path, *, is_gone: bool) -> None:
    """The server sees a body that ends too early, so it can't have understood it."""
    first, second = files(tmp_path, 6 * MIB, 3 * MIB)
    received: dict[str, Any] = {}
    ended = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        received.update(await read_head(reader))
        received["body"] = await reader.readexactly(1000)
        if is_gone:
            second.unlink()
        else:
            second.write_bytes(b"shorter")
        try:
            received["body"] += await reader.read()
        finally:
            ended.set()

    async with server(handle) as client:
        with pytest.raises(InputUnavailableError):
            await client.submit(EDIT, FOX, {"images": [first, second]})
        async with asyncio.timeout(30):
            await ended.wait()
    assert len(received["body"]) < int(received["content-length"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(received["body"])


async def test_upload_ends_with_the_lease(tmp_path: Path) -> None:
    """As in a process that was frozen for longer: its successor has refunded the job."""
    received: dict[str, Any] = {}
    is_held, ended = [True], asyncio.Event()

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        received.update(await read_head(reader))
        received["body"] = await reader.readexactly(1000)
        is_held.clear()
        try:
            while data := await reader.read(MIB):
                received["body"] += data
        finally:
            ended.set()

    async with server(handle, is_lease_held=lambda: bool(is_held)) as client:
        with pytest.raises(RunComfyUnavailableError) as caught:
            await client.submit(EDIT, FOX, {"images": files(tmp_path, *[6 * MIB] * 3)})
        assert not isinstance(caught.value, InvalidResponseError)
        await asyncio.wait_for(ended.wait(), 30)
    assert len(received["body"]) < int(received["content-length"])


async def test_lease_that_ends_before_the_last_bytes(tmp_path: Path) -> None:
    """All pictures were sent, and the request still means nothing."""
    (picture,) = files(tmp_path, MIB)
    answers = iter([True] * 2)
    body = await RequestBody.build(FOX, {"images": [picture]}, lambda: next(answers, False))
    blocks, sent = body.blocks(), 0
    async with body.time_limit:
        while sent < data_uri_length(MIB):
            sent += len(await anext(blocks))
        with pytest.raises(OSError, match="lease"):
            await anext(blocks)
    assert not body.is_complete


async def test_definite_answer_before_the_end_stops_the_upload(tmp_path: Path) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(answer(b'{"error_code": 413000}', "413 Payload Too Large"))
        await reader.read()

    async with server(handle) as client:
        with pytest.raises(PromptRefusedError):
            await client.submit(EDIT, FOX, {"images": files(tmp_path, *[6 * MIB] * 3)})


async def test_gateway_error_before_the_end_submitted_nothing(tmp_path: Path) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(answer(b"<html>", "504 Gateway Timeout"))
        await writer.drain()
        await asyncio.sleep(60)

    async with server(handle) as client:
        with pytest.raises(RunComfyUnavailableError) as caught:
            await client.submit(EDIT, FOX, {"images": files(tmp_path, *[6 * MIB] * 3)})
    assert not isinstance(caught.value, InvalidResponseError)


async def test_gateway_error_after_the_end_is_unknown(tmp_path: Path) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        await reader.readexactly(int(head["content-length"]))
        writer.write(answer(b"<html>", "504 Gateway Timeout"))

    async with server(handle) as client:
        with pytest.raises(SubmissionUnknownError):
            await client.submit(EDIT, FOX, {"images": files(tmp_path, 6 * MIB)})


async def test_upload_that_stalls_submitted_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "_BLOCK_SECONDS", 0.3)

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await asyncio.sleep(60)

    async with server(handle) as client:
        with pytest.raises(RunComfyUnavailableError, match="TimeoutError") as caught:
            await client.submit(EDIT, FOX, {"images": files(tmp_path, *[6 * MIB] * 3)})
    assert not isinstance(caught.value, InvalidResponseError)


async def test_slow_upload_has_time_while_it_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer than a block and an answer may."""
    monkeypatch.setattr(request_body, "_BLOCK_SECONDS", 5)
    monkeypatch.setattr(request_body, "_ANSWER_SECONDS", 5)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        left = int(head["content-length"])
        while left:
            left -= len(await reader.readexactly(min(left, MIB)))
            await asyncio.sleep(0.3)
        writer.write(answer(ACCEPTED))

    async with server(handle) as client:
        started = asyncio.get_running_loop().time()
        assert await client.submit(EDIT, FOX, {"images": files(tmp_path, *[6 * MIB] * 3)}) == "r-1"
        assert asyncio.get_running_loop().time() - started > 5


async def test_answer_that_does_not_come_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "_ANSWER_SECONDS", 0.3)

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        await reader.readexactly(int(head["content-length"]))
        await asyncio.sleep(60)

    async with server(handle) as client:
        with pytest.raises(SubmissionUnknownError, match="TimeoutError"):
            await client.submit(EDIT, FOX, {"images": files(tmp_path, 1000)})


async def test_no_connection(tmp_path: Path, unused_tcp_port: int) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{unused_tcp_port}"
        client = RunComfyClient(session, api_url=url, token="secret")  # noqa: S106 (of no service)
        with pytest.raises(RunComfyUnavailableError, match="no connection"):
            await client.submit(EDIT, FOX, {"images": files(tmp_path, 1000)})
        client.close()


async def test_answer_can_repeat_what_was_sent(tmp_path: Path) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        body = await reader.readexactly(int(head["content-length"]))
        writer.write(answer(b'{"request_id": "r-1", "input": ' + body + b"}"))
        await writer.drain()

    async with server(handle) as client:
        assert await client.submit(EDIT, FOX, {"images": files(tmp_path, *[6 * MIB] * 3)}) == "r-1"


@pytest.fixture
async def repeated(runcomfy: LocalRunComfy, client: RunComfyClient, tmp_path: Path) -> tuple[str, int]:
    """A finished request whose result repeats its picture, and the length of that."""
    runcomfy.catalogue[EDIT] = catalogue_entry(EDIT, SCHEMA)
    runcomfy.switches.echoes_input = True
    (path := tmp_path / "input-1.png").write_bytes(picture("PNG") + bytes(5 * MIB))
    request_id = await client.submit(EDIT, FOX, {"image_urls": [path]})
    await runcomfy.until(lambda: runcomfy.requests[request_id].finished_at)
    return request_id, data_uri_length(path.stat().st_size)


async def test_result_and_cost_can_repeat_the_pictures(
    client: RunComfyClient, repeated: tuple[str, int]
) -> None:
    request_id, echo_bytes = repeated
    assert isinstance(await client.status(request_id, echo_bytes=echo_bytes), Completed)
    assert (await client.result(request_id, echo_bytes=echo_bytes)).urls
    assert await client.cost(request_id, echo_bytes=echo_bytes)


async def test_answer_is_read_up_to_1_mib_more_than_was_sent(
    client: RunComfyClient, repeated: tuple[str, int]
) -> None:
    request_id, echo_bytes = repeated
    assert (await client.result(request_id, echo_bytes=echo_bytes - MIB + 5000)).urls
    with pytest.raises(RunComfyUnavailableError, match=r"no JSON|down"):
        await client.result(request_id, echo_bytes=echo_bytes - MIB)


async def test_large_answers_wait_for_each_other_and_small_ones_do_not(
    client: RunComfyClient, repeated: tuple[str, int]
) -> None:
    request_id, echo_bytes = repeated
    for _ in range(2):
        await client._large_answers.acquire()
    large = asyncio.ensure_future(client.result(request_id, echo_bytes=echo_bytes))
    await client.status(request_id, echo_bytes=echo_bytes)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(large), 0.5)
    client._large_answers.release()
    assert (await large).urls
