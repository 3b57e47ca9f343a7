"""The signals that ask this process to end."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

STOP_SIGNALS = tuple(
    signal.Signals[name] for name in ("SIGTERM", "SIGINT", "SIGBREAK") if name in signal.Signals.__members__
)
"""SIGBREAK exists on Windows only: Ctrl+Break, and closing the window."""


def call_on_stop(loop: AbstractEventLoop, stop: Callable[[], object]) -> None:
    """Call `stop` in the event loop at each of these signals."""
    for number in STOP_SIGNALS:
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # on Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
