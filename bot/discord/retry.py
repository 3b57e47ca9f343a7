"""The retry loop for requests to Discord."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import stamina

from bot.discord.errors import DISCORD_ERRORS, is_transient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


async def retry(
    send: Callable[[], Awaitable[T]],
    *,
    on: Callable[[Exception], bool] = is_transient,
    attempts: int | None = 3,
    seconds: float = 30.0,
    pauses: tuple[float, float] = (0.5, 5.0),
) -> T:
    """Call `send` again as long as it raises an error that `on` accepts, after pauses from short to long.

    `seconds` counts from the first failure, since one upload over a slow uplink can take minutes. discord.py
    itself waits out rate limits and repeats a request that met a 5xx up to five times.

    Raises:
        discord.HTTPException: Discord refuses the request, or still has trouble after the last attempt.
        aiohttp.ClientError, OSError: No response arrived, even to the last attempt.
    """
    try:
        return await send()  # outside the loop, which takes as long as a whole request on a fast network
    except DISCORD_ERRORS as error:
        if not on(error):
            raise
    shortest, longest = pauses
    await asyncio.sleep(shortest)
    more = attempts and attempts - 1
    async for attempt in stamina.retry_context(
        on=on, attempts=more, timeout=seconds, wait_initial=shortest, wait_max=longest
    ):
        with attempt:
            return await send()
    raise AssertionError  # the loop returns or raises
