"""Helpers to submit jobs and to inspect the requests that the local RunComfy received."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.runcomfy.client import RunComfyClient
    from playground.runcomfy import LocalRunComfy

MODEL = "google/nano-banana-2/text-to-image"
FOX = {"prompt": "a fox"}


def routes(runcomfy: LocalRunComfy) -> list[str]:
    return [call.route for call in runcomfy.calls]


async def finished_request(runcomfy: LocalRunComfy, client: RunComfyClient, **model_input: str | int) -> str:
    """Submit a job, wait until it has ended, and return its request_id."""
    request_id = await client.submit(MODEL, {**FOX, **model_input})
    await runcomfy.until(lambda: runcomfy.requests[request_id].finished_at)
    return request_id
