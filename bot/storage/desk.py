"""A connection in a thread of its own: a whole work is done there at once, in one step for the event loop."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import aiosqlite

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)
T = TypeVar("T")
UnitOfWork = Callable[[aiosqlite.Connection], Awaitable[T]]


class Outcome:
    """Keeps what is raised inside."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> None:
        """Nothing is needed for that."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        self.error = error
        return True


class Reply(Outcome, Generic[T]):
    """What comes of a thread's work, for whoever waits for it on the event loop; what it raises is theirs.

    It takes half as long as a future of `concurrent.futures`, and a job waits for a dozen of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[T] = self._loop.create_future()
        self.result: T | None = None

    def __await__(self) -> Generator[Any, None, T]:
        return self._future.__await__()

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


class Thread:
    """Calls functions one after the other, in a thread of its own, with less ado than an executor."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """What a function returns that is called in the thread, after those that were before it.

        Raises:
            Exception: Whatever it raises.
        """
        reply: Reply[T] = Reply()

        def answer() -> None:
            with reply:
                reply.result = function(*args)
            reply.tell()

        self.soon(answer)
        return await reply

    def soon(self, function: Callable[[], object]) -> None:
        """Call a function in the thread, after those that were before it.

        Raises:
            RuntimeError: The thread has ended.
        """
        if not self._thread.is_alive():
            raise RuntimeError("the thread has ended")
        self._calls.put(function)

    def end(self) -> None:
        """Return once all calls are through; no more are taken."""
        self._calls.put(None)
        self._thread.join()

    def _work(self) -> None:
        while call := self._calls.get():
            with (outcome := Outcome()):
                call()
            if outcome.error:
                _log.error("unexpected", exc_info=outcome.error)


class Desk(Thread):
    """A connection and the one thread that works with it."""

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        super().__init__("sqlite")
        self.connection = _Here(
            partial(sqlite3.connect, path, timeout=busy_seconds, isolation_level=None), 64
        )

    def do(self, work: UnitOfWork[T]) -> T:
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
        self.end()


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
