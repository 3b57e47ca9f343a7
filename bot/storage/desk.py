"""A connection in a thread of its own: a whole work is done there at once, in one step for the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import aiosqlite

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
Work = Callable[[aiosqlite.Connection], Awaitable[T]]


class Reply(Generic[T]):
    """What comes of a thread's work, for whoever waits for it on the event loop; what it raises is theirs.

    It takes half as long as a future of `concurrent.futures`, and a job waits for a dozen of them.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[T] = self._loop.create_future()
        self.result: T | None = None
        self.error: BaseException | None = None

    def __await__(self) -> Generator[Any, None, T]:
        return self._future.__await__()

    def __enter__(self) -> None:
        """What is raised inside is kept."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        self.error = error
        return True

    def tell(self) -> None:
        """Let whoever waits go on; to be called in the thread."""
        self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        if self._future.done():
            return  # whoever waited was cancelled
        if self.error:
            self._future.set_exception(self.error)
        else:
            self._future.set_result(cast("T", self.result))


class _Here(aiosqlite.Connection):
    """Runs each statement in the thread that calls it: a work goes there once, and not for each statement."""

    def open(self) -> None:
        self._connection = self._connector()

    def shut(self) -> None:
        self._conn.close()
        self._connection = None

    def say(self, statement: str) -> None:
        self._conn.execute(statement)

    def undo(self) -> None:
        if self.in_transaction:
            self._conn.rollback()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)


class Desk:
    """A connection and the one thread that works with it."""

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self.connection = _Here(partial(sqlite3.connect, path, busy_seconds, isolation_level=None), 64)

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """What a function returns that is called in the thread, after those that were before it."""
        reply: Reply[T] = Reply()

        def answer() -> None:
            with reply:
                reply.result = function(*args)
            reply.tell()

        self._thread.submit(answer)
        return await reply

    def soon(self, function: Callable[[], None]) -> None:
        """Call a function in the thread, after those that were before it."""
        self._thread.submit(function)

    def do(self, work: Work[T]) -> T:
        """What a work returns; to be called in the thread.

        Raises:
            RuntimeError: It waited for something else than its connection.
            Exception: Whatever the work raises.
        """
        begun: list[AsyncGenerator[Any, None]] = []
        sys.set_asyncgen_hooks(firstiter=begun.append)
        try:
            return _done(work(self.connection))
        finally:
            for select in begun:  # one that was left before its end would keep its statement under way
                _done(select.aclose())

    async def close(self) -> None:
        """Close the connection, and end its thread."""
        await self.run(self.connection.shut)
        self._thread.shutdown()


def _done(work: Awaitable[T]) -> T:
    doing = _as_coroutine(work)
    try:
        doing.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    doing.close()
    raise RuntimeError("a work must wait for nothing but its connection")


async def _as_coroutine(work: Awaitable[T]) -> T:
    return await work
