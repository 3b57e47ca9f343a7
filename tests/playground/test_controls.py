"""The page's panel changes how the local RunComfy behaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from playground.controls import Controls
from playground.discord import LocalDiscord
from playground.discord.transport import LOOPBACK, serve_app
from playground.process import BotProcess
from playground.runcomfy import LocalRunComfy
from playground.runcomfy.catalogue import catalogue_entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MODEL = "test/edit"
SCHEMA: dict[str, Any] = {"properties": {"image": {"type": "string", "format": "image_uri"}}}


@pytest.fixture
async def runcomfy() -> AsyncIterator[LocalRunComfy]:
    async with LocalRunComfy() as runcomfy:
        runcomfy.catalogue[MODEL] = catalogue_entry(MODEL, SCHEMA)
        yield runcomfy


@pytest.fixture
async def panel(runcomfy: LocalRunComfy, tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application()
    app.add_routes(Controls(LocalDiscord(tmp_path), runcomfy, BotProcess(tmp_path, {}), {}).routes)
    async with (
        serve_app(app) as port,
        aiohttp.ClientSession(f"http://{LOOPBACK}:{port}/playground/runcomfy/") as session,
    ):
        yield session


async def submit(runcomfy: LocalRunComfy, **model_input: str) -> int:
    headers = {"Authorization": f"Bearer {runcomfy.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{runcomfy.url}/v1/models/{MODEL}", data=json.dumps(model_input)) as response,
    ):
        return response.status


async def test_service_can_refuse_pictures(runcomfy: LocalRunComfy, panel: aiohttp.ClientSession) -> None:
    url = f"{runcomfy.url}/fox.png"
    async with panel.post("no-pictures") as response:
        assert (await response.json())["behavior"] == "no-pictures"
    assert [await submit(runcomfy, image=url), await submit(runcomfy)] == [422, 200]
    async with panel.post("normal") as response:
        assert response.status == 200
    assert await submit(runcomfy, image=url) == 200


async def test_unknown_behavior(panel: aiohttp.ClientSession) -> None:
    async with panel.post("other") as response:
        assert response.status == 404
