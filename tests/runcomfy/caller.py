"""A plain HTTP client of the local RunComfy, so that its tests do not depend on the bot's own."""

from __future__ import annotations

import io
from json import dumps
from typing import TYPE_CHECKING, Any

from tests.runcomfy.helpers import MODEL

if TYPE_CHECKING:
    import aiohttp

    from playground.runcomfy import LocalRunComfy

Answer = tuple[int, dict[str, Any]]


class Caller:
    def __init__(self, runcomfy: LocalRunComfy, session: aiohttp.ClientSession) -> None:
        self.runcomfy = runcomfy
        self.session = session

    async def call(self, method: str, path: str, json: object = None, token: str = "") -> Answer:
        headers = {"Authorization": f"Bearer {token or self.runcomfy.token}"}
        url = path if path.startswith("http") else self.runcomfy.url + path
        # As a file, since aiohttp warns of megabytes in one piece.
        body = None if json is None else io.BytesIO(dumps(json).encode())
        async with self.session.request(method, url, data=body, headers=headers) as response:
            return response.status, await response.json()

    async def submit(self, model_id: str = MODEL, **model_input: object) -> dict[str, Any]:
        status, body = await self.call("POST", f"/v1/models/{model_id}", {"prompt": "a fox", **model_input})
        assert status == 200, body
        return body

    async def result(self, submitted: dict[str, Any]) -> dict[str, Any]:
        """Wait until a request has ended; return its result with its cost."""
        await self.runcomfy.until(lambda: self.runcomfy.requests[submitted["request_id"]].finished_at)
        status, body = await self.call("GET", submitted["result_url"] + "?include_cost=true")
        assert status == 200, body
        return body

    async def picture(self, url: str) -> tuple[bytes, aiohttp.ClientResponse]:
        async with self.session.get(url) as response:
            return await response.read(), response
