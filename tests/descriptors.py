"""Simulate a process without free file descriptors."""

from __future__ import annotations

import os
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

import stamina.instrumentation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stamina.instrumentation import RetryDetails


@contextmanager
def exhaustible() -> Iterator[Callable[[], None]]:
    """Yield a function that exhausts the file descriptors until a retry or the end of the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def exhaust() -> None:
        lowest_free = os.dup(0)
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))

    def restore(details: RetryDetails | None = None) -> None:
        del details
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    stamina.instrumentation.set_on_retry_hooks([restore])
    try:
        yield exhaust
    finally:
        restore()
        stamina.instrumentation.set_on_retry_hooks(None)
