"""What most of these tests need: an order, and what came in because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.runcomfy import RunComfyClient
    from playground.runcomfy import LocalRunComfy

MODEL = "google/nano-banana-2/text-to-image"
FOX = {"prompt": "a fox"}


def routes(runcomfy: LocalRunComfy) -> list[str]:
    return [call.route for call in runcomfy.calls]


async def finished_request(runcomfy: LocalRunComfy, client: RunComfyClient, **model_input: str | int) -> str:
    """The request_id of an order that has ended by itself."""
    request_id = await client.submit(MODEL, {**FOX, **model_input})
    await runcomfy.until(lambda: runcomfy.requests[request_id].finished_at)
    return request_id
