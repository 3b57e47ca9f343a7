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
    """One POST of a generation request; `request_id` is None if none was created."""

    at: float
    model_id: str
    input: object
    request_id: str | None = None


SUBMIT = web.RequestKey("submit", Submit)


class Api:
    """The handlers; `leaks` lists every file request that carried a credential."""

    def __init__(self, queue: RequestQueue, profile: Profile) -> None:
        self.leaks: list[str] = []
        self._queue = queue
        self._profile = profile
        self._catalogue = load_catalogue()

    def routes(self) -> list[web.RouteDef]:
        """Return all routes; `LocalRunComfy.inject_fault` takes their names."""
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
        """Return an error response in the format of the profile."""
        status, body = error_response(kind, self._profile)
        return web.json_response(body | more, status=status)

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response(search(self._catalogue, dict(request.query)))

    async def _categories(self, _: web.Request) -> web.Response:
        names = sorted({entry["categories"][0] for entry in self._catalogue.values()})
        return web.json_response({"categories": names})

    async def _model(self, request: web.Request) -> web.Response:
        entry = self._catalogue.get(request.match_info["model_id"])
        return web.json_response(entry) if entry else self.error("model")

    async def _submit(self, request: web.Request) -> web.Response:
        submit = request[SUBMIT]
        if submit.model_id not in self._catalogue:
            return self.error("model")
        errors = validation_errors(submit.input, self._catalogue[submit.model_id]["input_schema"])
        if errors or not isinstance(submit.input, dict):
            return self.error("input", detail=errors)
        generation = GenerationRequest(submit.model_id, submit.input)
        self._queue.add(generation)
        submit.request_id = generation.request_id
        return web.json_response(_links(request, generation, "status", "result", "cancel"))

    async def _status(self, request: web.Request) -> web.Response:
        generation = self._queue.requests.get(request.match_info["request_id"])
        if not generation:
            return self.error("request")
        body: Body = _links(request, generation, "status", "result") | {"status": generation.status}
        if position := self._queue.position(generation):
            body["queue_position"] = position
        return web.json_response(body)

    async def _result(self, request: web.Request) -> web.Response:
        generation = self._queue.requests.get(request.match_info["request_id"])
        if not generation:
            return self.error("request")
        body: Body = {"request_id": generation.request_id, "status": generation.state}
        body["created_at"] = generation.created_at
        if generation.finished_at:
            body["finished_at"] = generation.finished_at
            if request.query.get("include_cost") == "true":
                body["cost"] = request_cost(generation.input) if generation.state == "succeeded" else 0.0
        if generation.state == "succeeded":
            body["output"] = {"images": _image_urls(request, generation)}
        if generation.state == "failed":
            body["error"] = generation.error
        return web.json_response(body)

    async def _cancel(self, request: web.Request) -> web.Response:
        generation = self._queue.requests.get(request.match_info["request_id"])
        if not generation:
            return self.error("request")
        is_cancelled = self._queue.cancel(generation) or generation.state == "cancelled"
        body = {"request_id": generation.request_id, "status": generation.status}
        body["outcome"] = "cancelled" if is_cancelled else "not_cancellable"
        return web.json_response(body, status=202)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if "Authorization" in request.headers:
            self.leaks.append(request.path)
            return web.Response(status=400, text="The token must not come here.")
        generation = self._queue.requests.get(request.match_info["request_id"])
        if not generation or generation.state != "succeeded":
            raise web.HTTPNotFound
        kind = request.match_info["kind"]
        image = await asyncio.to_thread(_image, generation, int(request.match_info["index"]), kind)
        return web.Response(body=image, content_type=f"image/{kind}")


def _links(request: web.Request, generation: GenerationRequest, *verbs: str) -> Body:
    # From the caller's own Host: an address of the real RunComfy would send the token there.
    base = f"http://{request.host}/v1/requests/{generation.request_id}"
    return {"request_id": generation.request_id} | {f"{verb}_url": f"{base}/{verb}" for verb in verbs}


def _image_urls(request: web.Request, generation: GenerationRequest) -> list[str]:
    count, kind = generation.input.get("num_images", 1), generation.input.get("output_format", "png")
    # Like the real addresses, these contain the account.
    folder = f"http://{request.host}/files/bG9jYWwtYWNjb3VudA%3D%3D/{generation.request_id}"
    return [f"{folder}/{index}_output.{kind}" for index in range(count if isinstance(count, int) else 1)]


def _image(generation: GenerationRequest, index: int, kind: str) -> bytes:
    values = {"prompt": "", "resolution": "1K", "aspect_ratio": "auto"} | generation.input
    prompt, seed = str(values["prompt"]), values.get("seed", 0)
    size = image_size(str(values["resolution"]), str(values["aspect_ratio"]), prompt)
    return generate_image(prompt, seed if isinstance(seed, int) else 0, index, size, kind)
