"""TCP servers and relays that leave no connection open when a test ends."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from playground.discord.transport import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp_server(handle: Handler, port: int = 0, **options: Any) -> AsyncIterator[int]:
    """Run a server and yield its port; a connection ends with its handler or, aborted, with the server."""
    handled: dict[asyncio.Future[None], asyncio.StreamWriter] = {}
    is_over = False

    def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if is_over:  # accepted just before
            writer.transport.abort()
            return
        task = asyncio.ensure_future(handle(reader, writer))
        handled[task] = writer
        task.add_done_callback(lambda _: writer.close())

    if "sock" not in options:
        options |= {"host": LOOPBACK, "port": port}
    async with await asyncio.start_server(on_connect, **options) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            is_over = True
            server.close()
            for task in handled:
                task.cancel()
            results = await asyncio.gather(*handled, return_exceptions=True)
            for writer in handled.values():
                writer.transport.abort()
            for result in results:
                if isinstance(result, AssertionError):
                    raise result


@asynccontextmanager
async def connection(
    port: int, host: str = LOOPBACK
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection and abort it at the end."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until either stream ends."""
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


async def until_one_ends(*ways: Coroutine[Any, Any, None]) -> None:
    """Run them together until the first one ends, and cancel the others."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
