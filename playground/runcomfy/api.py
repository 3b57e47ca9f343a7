"""The routes of the local RunComfy, as its documentation describes them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from playground.runcomfy.catalogue import (
    ErrorKind,
    Profile,
    catalogue_entry,
    error_response,
    load_model_files,
    option_values,
    search,
    validation_errors,
)
from playground.runcomfy.input_files import InputPicture, data_uri_pictures, read_pictures
from playground.runcomfy.outputs import image_count, image_kind
from playground.runcomfy.prices import base_price, request_cost
from playground.runcomfy.rendering import render
from playground.runcomfy.requests import GenerationRequest, RequestQueue

if TYPE_CHECKING:
    from playground.runcomfy.faults import Body
    from playground.runcomfy.switches import Switches


@dataclass
class Submit:
    """One POST of a generation request; `request_id` is None if none was created."""

    at: float
    model_id: str
    input: object
    request_id: str | None = None
    files: frozenset[str] = frozenset()
    """The names of the model's properties that take files."""

    @property
    def options(self) -> Body:
        """The input without files."""
        values = self.input if isinstance(self.input, dict) else {}
        return {name: value for name, value in values.items() if name not in self.files}

    @property
    def pictures(self) -> list[bytes]:
        """The bytes of every data URI, in order; reading it fails if one is invalid."""
        values = self.input if isinstance(self.input, dict) else {}
        return list(data_uri_pictures({name: values[name] for name in values if name in self.files}))


SUBMIT = web.RequestKey("submit", Submit)


class Api:
    """The handlers; `leaks` lists every file request that carried a credential."""

    def __init__(self, queue: RequestQueue, profile: Profile, switches: Switches) -> None:
        self.leaks: list[str] = []
        self._queue = queue
        self._profile = profile
        self._switches = switches
        self._model_files = load_model_files()
        self.catalogue = {
            model_id: catalogue_entry(model_id, model["input_schema"])
            for model_id, model in self._model_files.items()
        }

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
        return web.json_response(search(self.catalogue, dict(request.query)))

    async def _categories(self, _: web.Request) -> web.Response:
        names = sorted({entry["categories"][0] for entry in self.catalogue.values()})
        return web.json_response({"categories": names})

    async def _model(self, request: web.Request) -> web.Response:
        entry = self.catalogue.get(request.match_info["model_id"])
        return web.json_response(entry) if entry else self.error("model")

    async def _submit(self, request: web.Request) -> web.Response:
        submit = request[SUBMIT]
        if submit.model_id not in self.catalogue:
            return self.error("model")
        schema = self.catalogue[submit.model_id]["input_schema"]
        errors = validation_errors(submit.input, schema)
        if errors or not isinstance(submit.input, dict):
            return self.error("input", detail=errors)
        pictures: list[InputPicture] = []
        if submit.files & submit.input.keys():
            pictures, errors = await asyncio.to_thread(read_pictures, submit.input, schema, self._switches)
        if errors:
            return self.error("input", detail=errors)
        generation = self._generation(submit.model_id, submit.input, pictures)
        self._queue.add(generation)
        submit.request_id = generation.request_id
        return web.json_response(_links(request, generation, "status", "result", "cancel"))

    def _generation(
        self, model_id: str, model_input: Body, pictures: list[InputPicture]
    ) -> GenerationRequest:
        model, entry = self._model_files.get(model_id, {}), self.catalogue[model_id]
        options = option_values(model_input, entry["input_schema"], model.get("unsent_defaults", ()))
        price = entry.get("base_price_usd")
        price = (
            base_price(model_id) if price is None else price
        )  # a model without a published price costs, too
        multiple = model.get("highest_multiple")
        cost = request_cost(price, options, None if multiple is None else float(multiple))
        return GenerationRequest(model_id, model_input, options, cost, pictures)

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
                body["cost"] = generation.cost if generation.state == "succeeded" else 0.0
        if self._switches.echoes_input:
            body["input"] = generation.input
        if generation.state == "succeeded":
            urls = _image_urls(request, generation)
            is_single = self._switches.single_as_image and len(urls) == 1
            body["output"] = {"image": urls[0]} if is_single else {"images": urls}
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
        image = await asyncio.to_thread(render, generation, int(request.match_info["index"]), kind)
        return web.Response(body=image, content_type=f"image/{kind}")


def _links(request: web.Request, generation: GenerationRequest, *verbs: str) -> Body:
    # From the caller's own Host: an address of the real RunComfy would send the token there.
    base = f"http://{request.host}/v1/requests/{generation.request_id}"
    return {"request_id": generation.request_id} | {f"{verb}_url": f"{base}/{verb}" for verb in verbs}


def _image_urls(request: web.Request, generation: GenerationRequest) -> list[str]:
    # Like the real addresses, these contain the account.
    folder = f"http://{request.host}/files/bG9jYWwtYWNjb3VudA%3D%3D/{generation.request_id}"
    kind = image_kind(generation.options)
    return [f"{folder}/{index}_output.{kind}" for index in range(image_count(generation.options))]
