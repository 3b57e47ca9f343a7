"""The routes of the local RunComfy, as its documentation describes them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from playground.runcomfy.catalogue import (
    ErrorKind,
    Profile,
    error_response,
    load_catalogue,
    request_cost,
    search,
    validation_errors,
)
from playground.runcomfy.generator import generate_image, image_size
from playground.runcomfy.requests import GenerationRequest, RequestQueue

if TYPE_CHECKING:
    from playground.runcomfy.faults import Body


@dataclass
class Submit:
    """One POST of an order, whatever came of it; `request_id` is None where no job was made."""

    at: float
    model_id: str
    input: object
    request_id: str | None = None


SUBMIT = web.RequestKey("submit", Submit)


class Api:
    """Answers the calls that no fault has taken; `leaks` has each file request that carried a credential."""

    def __init__(self, queue: RequestQueue, profile: Profile) -> None:
        self.leaks: list[str] = []
        self._queue = queue
        self._profile = profile
        self._catalogue = load_catalogue()

    def routes(self) -> list[web.RouteDef]:
        """All routes, by name."""
        return [
            web.get("/v1/models", self._models, name="models"),
            web.get("/v1/models/categories", self._categories, name="categories"),
            web.get("/v1/models/{model_id:.+}", self._model, name="model"),
            web.post("/v1/models/{model_id:.+}", self._submit, name="submit"),
            web.get("/v1/requests/{request_id}/status", self._status, name="status"),
            web.get("/v1/requests/{request_id}/result", self._result, name="result"),
            web.post("/v1/requests/{request_id}/cancel", self._cancel, name="cancel"),
            web.get("/files/{account}/{request_id}/{index:\\d+}_output.{kind}", self._file, name="file"),
        ]

    def error(self, kind: ErrorKind, **more: Any) -> web.Response:
        """Say no in the words of the profile."""
        status, body = error_response(kind, self._profile)
        return web.json_response(body | more, status=status)

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response(search(self._catalogue, dict(request.query)))

    async def _categories(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"categories": sorted({e["categories"][0] for e in self._catalogue.values()})}
        )

    async def _model(self, request: web.Request) -> web.Response:
        entry = self._catalogue.get(request.match_info["model_id"])
        return web.json_response(entry) if entry else self.error("model")

    async def _submit(self, request: web.Request) -> web.Response:
        posted = request[SUBMIT]
        if posted.model_id not in self._catalogue:
            return self.error("model")
        problems = validation_errors(posted.input, self._catalogue[posted.model_id]["input_schema"])
        if problems or not isinstance(posted.input, dict):
            return self.error("input", detail=problems)
        order = GenerationRequest(posted.model_id, posted.input)
        self._queue.add(order)
        posted.request_id = order.request_id
        links = _links(request, order)
        return web.json_response(
            {"request_id": order.request_id, **links, "cancel_url": _url(request, order, "cancel")}
        )

    async def _status(self, request: web.Request) -> web.Response:
        order = self._queue.requests.get(request.match_info["request_id"])
        if not order:
            return self.error("request")
        state = "completed" if order.state in {"succeeded", "failed"} else order.state
        body: Body = {"request_id": order.request_id, "status": state, **_links(request, order)}
        if position := self._queue.position(order):
            body["queue_position"] = position
        return web.json_response(body)

    async def _result(self, request: web.Request) -> web.Response:
        order = self._queue.requests.get(request.match_info["request_id"])
        if not order:
            return self.error("request")
        body: Body = {"request_id": order.request_id, "status": order.state, "created_at": order.created_at}
        if order.finished_at:
            body["finished_at"] = order.finished_at
        if order.state == "succeeded":
            body["output"] = {"images": _files(request, order)}
        if order.state == "failed":
            body["error"] = order.error
        if order.finished_at and request.query.get("include_cost") == "true":
            body["cost"] = request_cost(order.input) if order.state == "succeeded" else 0.0
        return web.json_response(body)

    async def _cancel(self, request: web.Request) -> web.Response:
        order = self._queue.requests.get(request.match_info["request_id"])
        if not order:
            return self.error("request")
        is_cancelled = self._queue.cancel(order) or order.state == "cancelled"
        state = "completed" if order.state in {"succeeded", "failed"} else order.state
        outcome = "cancelled" if is_cancelled else "not_cancellable"
        return web.json_response(
            {"request_id": order.request_id, "status": state, "outcome": outcome}, status=202
        )

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if "Authorization" in request.headers:
            self.leaks.append(request.path)
            return web.Response(status=400, text="The token must not come here.")
        order = self._queue.requests.get(request.match_info["request_id"])
        if not order or order.state != "succeeded":
            raise web.HTTPNotFound
        kind = request.match_info["kind"]
        picture = await asyncio.to_thread(_picture, order, int(request.match_info["index"]), kind)
        return web.Response(body=picture, content_type=f"image/{kind}")


def _url(request: web.Request, order: GenerationRequest, verb: str) -> str:
    # From the caller's own Host: an address that named the real RunComfy would carry the token there.
    return f"http://{request.host}/v1/requests/{order.request_id}/{verb}"


def _links(request: web.Request, order: GenerationRequest) -> dict[str, str]:
    return {f"{verb}_url": _url(request, order, verb) for verb in ("status", "result")}


def _files(request: web.Request, order: GenerationRequest) -> list[str]:
    count, kind = order.input.get("num_images", 1), order.input.get("output_format", "png")
    # As the real ones do, the addresses name the account.
    folder = f"http://{request.host}/files/bG9jYWwtYWNjb3VudA%3D%3D/{order.request_id}"
    return [f"{folder}/{index}_output.{kind}" for index in range(count if isinstance(count, int) else 1)]


def _picture(order: GenerationRequest, index: int, kind: str) -> bytes:
    prompt, resolution, ratio = (
        str(order.input.get(name, default))
        for name, default in (("prompt", ""), ("resolution", "1K"), ("aspect_ratio", "auto"))
    )
    seed = order.input.get("seed", 0)
    return generate_image(
        prompt, seed if isinstance(seed, int) else 0, index, image_size(resolution, ratio, prompt), kind
    )
