"""A client of `/healthz` and `/metrics`."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.environment import Environment


Samples: TypeAlias = dict[str, list[tuple[dict[str, str], float]]]


def free_port() -> str:
    """Return a port without a listener, below the range of ephemeral ports."""
    while True:
        with socket.socket() as opened, suppress(OSError):
            opened.bind(("127.0.0.1", random.randint(10_000, 32_000)))
            return str(opened.getsockname()[1])


async def get(env: Environment, path: str) -> tuple[int, str]:
    """Request a page; it contains no member and no secret."""
    address = f"http://127.0.0.1:{env.settings['HEALTH_PORT']}{path}"
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        text = await response.text()
    for secret in (env.runcomfy.token, env.discord.token, *env.discord.interactions):
        assert secret not in text
    for person in env.discord.members.values():
        assert person.id not in text
    return response.status, text


async def healthz(env: Environment) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the health of each component."""
    status, text = await get(env, "/healthz")
    return status, json.loads(text)


async def wait_for_health(
    env: Environment, condition: Callable[[int, dict[str, Any]], object], within: float
) -> float:
    """Poll until the condition holds, and return the seconds; a monitoring system has no event either."""
    begun = asyncio.get_running_loop().time()
    async with asyncio.timeout(within):
        while not condition(*await healthz(env)):  # noqa: ASYNC110 (see above)
            await asyncio.sleep(0.5)
    return asyncio.get_running_loop().time() - begun


async def samples(env: Environment) -> Samples:
    """Return the labels and values of every sample by name."""
    status, text = await get(env, "/metrics")
    assert status == 200
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found
