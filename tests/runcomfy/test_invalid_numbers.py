"""Invalid numbers in RunComfy's responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import SubmissionUnknownError
from bot.runcomfy.responses import InQueue, parse_error_code, parse_status
from playground.runcomfy import LocalRunComfy, edit_json
from tests.runcomfy.helpers import FOX, MODEL

if TYPE_CHECKING:
    from bot.runcomfy.client import RunComfyClient


@pytest.mark.parametrize("code", ["50000²", "9" * 5000, "٤٠٠٠٠٢", True, -1, 4.5])
def test_invalid_error_code_is_none(code: str | float) -> None:
    assert parse_error_code({"error_code": code}) is None


async def test_submit_with_an_invalid_error_code_is_unknown(
    runcomfy: LocalRunComfy, client: RunComfyClient
) -> None:
    runcomfy.inject_fault("submit", edit_json(lambda body: body.update(error_code="50000²")))
    with pytest.raises(SubmissionUnknownError):
        await client.submit(MODEL, FOX)


@pytest.mark.parametrize("position", [-5, 10**25, 10**400])
def test_impossible_queue_position_is_none(position: int) -> None:
    assert parse_status({"status": "in_queue", "queue_position": position}) == InQueue(None)
