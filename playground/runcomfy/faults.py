"""Faults to inject into the calls of a route."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

Body = dict[str, Any]
Respond = Callable[[web.Request, web.Response | None], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Fault:
    """`respond` replaces the whole route, or only its response if `is_after`."""

    respond: Respond
    is_after: bool = False


def respond(
    status: int,
    body: str | bytes | Body = "",
    *,
    headers: Mapping[str, str] | None = None,
    is_after: bool = False,
) -> Fault:
    """Respond with this, texts as HTML like a CDN; `{token}` in it becomes the caller's token."""

    async def send(request: web.Request, _: web.Response | None) -> web.StreamResponse:
        if isinstance(body, bytes):
            return web.Response(status=status, body=body, headers=headers)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        text = (body if isinstance(body, str) else json.dumps(body)).replace("{token}", token)
        kind = "text/html" if isinstance(body, str) else "application/json"
        return web.Response(status=status, text=text, content_type=kind, headers=headers)

    return Fault(send, is_after)


def reset(*, is_after: bool = False) -> Fault:
    """Reset the connection without a response."""

    async def send(request: web.Request, _: web.Response | None) -> web.StreamResponse:
        if request.transport:
            request.transport.abort()
        return web.Response()

    return Fault(send, is_after)


def stall(*, is_after: bool = False) -> Fault:
    """Never respond."""

    async def send(_: web.Request, __: web.Response | None) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError  # unreachable: nothing sets the event

    return Fault(send, is_after)


def wait_for(event: asyncio.Event) -> Fault:
    """Respond as usual, but only once the event is set."""

    async def send(_: web.Request, good: web.Response | None) -> web.StreamResponse:
        await event.wait()
        return good or web.Response()

    return Fault(send, is_after=True)


def edit_json(change: Callable[[Body], object]) -> Fault:
    """Respond with the real JSON, changed in place."""

    async def send(_: web.Request, good: web.Response | None) -> web.StreamResponse:
        body: Body = json.loads(good.text or "") if good else {}
        change(body)
        return web.json_response(body, status=good.status if good else 200)

    return Fault(send, is_after=True)


def with_content_type(content_type: str) -> Fault:
    """Respond with the real body and another Content-Type."""

    async def send(_: web.Request, good: web.Response | None) -> web.StreamResponse:
        return web.Response(body=good.body if good else b"", headers={"Content-Type": content_type})

    return Fault(send, is_after=True)


def truncate() -> Fault:
    """Send half of the real body, then close the connection."""

    async def send(request: web.Request, good: web.Response | None) -> web.StreamResponse:
        body = good.body if good and isinstance(good.body, bytes) else b""
        half = web.StreamResponse(headers={"Content-Type": "image/png", "Content-Length": str(len(body))})
        await half.prepare(request)
        await half.write(body[: len(body) // 2])
        if request.transport:
            request.transport.close()
        return half

    return Fault(send, is_after=True)


def flood(size: int) -> Fault:
    """Send `size` bytes without a Content-Length."""

    async def send(request: web.Request, _: web.Response | None) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "image/png"})
        stream.enable_chunked_encoding()
        await stream.prepare(request)
        for _start in range(0, size, 2**20):
            await stream.write(bytes(2**20))
        return stream

    return Fault(send)


def trickle(seconds: float) -> Fault:
    """Send the real body in ten pieces over `seconds`."""

    async def send(request: web.Request, good: web.Response | None) -> web.StreamResponse:
        body = good.body if good and isinstance(good.body, bytes) else b""
        slow = web.StreamResponse(headers=good.headers if good else None)
        slow.content_length = len(body)
        await slow.prepare(request)
        step = len(body) // 10 + 1
        for start in range(0, len(body), step):
            await asyncio.sleep(seconds / 10)
            await slow.write(body[start : start + step])
        return slow

    return Fault(send, is_after=True)


def drip(data: bytes, piece: int, seconds: float) -> Fault:
    """Send these bytes as a PNG, `piece` bytes at a time with a pause of `seconds` after each."""

    async def send(request: web.Request, _: web.Response | None) -> web.StreamResponse:
        slow = web.StreamResponse(headers={"Content-Type": "image/png", "Content-Length": str(len(data))})
        await slow.prepare(request)
        for start in range(0, len(data), piece):
            await slow.write(data[start : start + piece])
            await asyncio.sleep(seconds)
        return slow

    return Fault(send)
