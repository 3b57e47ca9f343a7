"""Things that go wrong on demand, each for a number of calls of one route."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

Body = dict[str, Any]
Spoil = Callable[[web.Request, web.Response | None], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Fault:
    """`spoil` answers in place of the route, or, with `is_after`, once the route has done its work."""

    respond: Spoil
    is_after: bool = False


def respond(
    status: int,
    body: str | bytes | Body = "",
    *,
    headers: Mapping[str, str] | None = None,
    after: bool = False,
) -> Fault:
    """Another answer; `{token}` in a text becomes the caller's token. Texts are HTML as a CDN sends it."""

    async def spoil(request: web.Request, _: web.Response | None) -> web.StreamResponse:
        if isinstance(body, bytes):
            return web.Response(status=status, body=body, headers=headers)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        text = (body if isinstance(body, str) else json.dumps(body)).replace("{token}", token)
        kind = "text/html" if isinstance(body, str) else "application/json"
        return web.Response(status=status, text=text, content_type=kind, headers=headers)

    return Fault(spoil, after)


def reset(*, after: bool = False) -> Fault:
    """The connection breaks without an answer."""

    async def spoil(request: web.Request, _: web.Response | None) -> web.StreamResponse:
        if request.transport:
            request.transport.abort()
        return web.Response()

    return Fault(spoil, after)


def stall(*, after: bool = False) -> Fault:
    """No answer ever comes."""

    async def spoil(_: web.Request, __: web.Response | None) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError  # nobody sets that event

    return Fault(spoil, after)


def edit_json(change: Callable[[Body], object]) -> Fault:
    """The good JSON answer with something changed in place."""

    async def spoil(_: web.Request, good: web.Response | None) -> web.StreamResponse:
        body: Body = json.loads(good.text or "") if good else {}
        change(body)
        return web.json_response(body, status=good.status if good else 200)

    return Fault(spoil, is_after=True)


def with_content_type(content_type: str) -> Fault:
    """The good answer under another Content-Type."""

    async def spoil(_: web.Request, good: web.Response | None) -> web.StreamResponse:
        return web.Response(body=good.body if good else b"", headers={"Content-Type": content_type})

    return Fault(spoil, is_after=True)


def truncate() -> Fault:
    """Half of the good answer's bytes, then the connection breaks."""

    async def spoil(request: web.Request, good: web.Response | None) -> web.StreamResponse:
        body = good.body if good and isinstance(good.body, bytes) else b""
        half = web.StreamResponse(headers={"Content-Type": "image/png", "Content-Length": str(len(body))})
        await half.prepare(request)
        await half.write(body[: len(body) // 2])
        if request.transport:
            request.transport.close()
        return half

    return Fault(spoil, is_after=True)


def flood(size: int) -> Fault:
    """That many bytes, without saying so before."""

    async def spoil(request: web.Request, _: web.Response | None) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "image/png"})
        stream.enable_chunked_encoding()
        await stream.prepare(request)
        for _start in range(0, size, 2**20):
            await stream.write(bytes(2**20))
        return stream

    return Fault(spoil)


def trickle(seconds: float) -> Fault:
    """The good answer, a tenth of it at a time."""

    async def spoil(request: web.Request, good: web.Response | None) -> web.StreamResponse:
        body = good.body if good and isinstance(good.body, bytes) else b""
        slow = web.StreamResponse(headers=good.headers if good else None)
        slow.content_length = len(body)
        await slow.prepare(request)
        step = len(body) // 10 + 1
        for start in range(0, len(body), step):
            await asyncio.sleep(seconds / 10)
            await slow.write(body[start : start + step])
        return slow

    return Fault(spoil, is_after=True)


def drip(data: bytes, piece: int, seconds: float) -> Fault:
    """A PNG of these bytes, `piece` bytes at a time with a pause of `seconds` after each."""

    async def spoil(request: web.Request, _: web.Response | None) -> web.StreamResponse:
        slow = web.StreamResponse(headers={"Content-Type": "image/png", "Content-Length": str(len(data))})
        await slow.prepare(request)
        for start in range(0, len(data), piece):
            await slow.write(data[start : start + piece])
            await asyncio.sleep(seconds)
        return slow

    return Fault(spoil)
