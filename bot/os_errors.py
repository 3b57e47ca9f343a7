"""Transient errors of the operating system, such as too many open files."""

from __future__ import annotations

import errno
import logging
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import stamina

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

_TRANSIENT = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EINTR, errno.ENOBUFS, errno.ENOMEM, errno.EBUSY}
)


def is_transient(error: BaseException) -> bool:
    """Return whether the machine was only short of file descriptors, buffers or memory for a moment."""
    return isinstance(error, OSError) and error.errno in _TRANSIENT


_retry = stamina.AsyncRetryingCaller(
    attempts=None, timeout=600, wait_initial=0.2, wait_max=5, wait_jitter=0.5
).on(is_transient)


async def retry_transient(work: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `work`, and retry it for up to ten minutes on transient errors.

    Raises:
        OSError: It is not transient, or did not go away in time.
    """
    try:
        return await work(*args, **kwargs)  # stamina would double the time of a short call
    except OSError as error:
        if not is_transient(error):
            raise
        _log.warning("%s: trying again", error.strerror)
    return await _retry(work, *args, **kwargs)
