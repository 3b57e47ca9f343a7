"""The local RunComfy's models, prices, input validation and error responses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from jsonschema import Draft202012Validator

import bot

if TYPE_CHECKING:
    from playground.runcomfy.faults import Body

Profile: TypeAlias = Literal["docs", "http"]
ErrorKind: TypeAlias = Literal["token", "balance", "model", "foreign", "request", "input"]

# error_code, documented HTTP status, HTTP status that RunComfy's own clients expect, message
_ERRORS: dict[ErrorKind, tuple[int, int, int, str]] = {
    "token": (400004, 400, 401, "UserAccountError: the token is missing or revoked"),
    "balance": (400002, 400, 402, "InsufficientResources: no remaining balance"),
    "model": (400001, 400, 404, "InvalidResourceIdentifier: no such model"),
    "foreign": (403001, 403, 403, "PermissionDeniedError: another user's request"),
    "request": (404001, 404, 404, "ResourceNotFound: no such request, or it has expired"),
    "input": (422001, 422, 422, "The input does not fit the model's schema"),
}
_BASE_PRICE = 0.05  # invented; RunComfy's documentation names no price
_PRICE_FACTORS = {"0.5K": 0.75, "1K": 1.0, "2K": 1.5, "4K": 2.0}


def error_response(kind: ErrorKind, profile: Profile) -> tuple[int, Body]:
    """Return the HTTP status and body of an error; the profile "http" has no error codes."""
    code, docs_status, http_status, text = _ERRORS[kind]
    if profile == "http":
        return http_status, {"message": text}
    return docs_status, {"error_code": code, "error_message": text}


def load_catalogue() -> dict[str, dict[str, Any]]:
    """Return catalogue entries by model_id, made from the bot's model files."""
    files = sorted((Path(bot.__file__).parent / "models").rglob("*.json"))
    models = (json.loads(file.read_text("utf-8")) for file in files)
    return {model["model_id"]: _entry(model["model_id"], model["input_schema"]) for model in models}


def _entry(model_id: str, input_schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "display_name": model_id,
        "kind": "model",
        "categories": [model_id.rpartition("/")[2]],
        "base_price_usd": _BASE_PRICE,
        "price_unit": "output",
        "pricing_note": "0.5K costs less, 2K and 4K cost more.",
        "input_schema": input_schema,
    }


def search(catalogue: dict[str, dict[str, Any]], query: dict[str, str]) -> Body:
    """Return one page of the catalogue, the response of GET /v1/models."""
    found = [
        entry
        for entry in catalogue.values()
        if query.get("search", "").lower() in entry["model_id"].lower()
        and query.get("kind", entry["kind"]) == entry["kind"]
        and query.get("category", entry["categories"][0]) in entry["categories"]
    ]
    start = int(query.get("offset", 0))
    page = found[start : start + int(query.get("limit", 100))]
    if query.get("include_schema") != "true":
        page = [{key: value for key, value in entry.items() if key != "input_schema"} for entry in page]
    return {"models": page, "total": len(found)}


def validation_errors(model_input: object, input_schema: dict[str, Any]) -> list[dict[str, str]]:
    """Return the input's schema violations as a `detail` list."""
    found = [
        {"loc": "/".join(map(str, error.path)), "msg": error.message}
        for error in Draft202012Validator(input_schema).iter_errors(model_input)
    ]
    if not found and isinstance(model_input, dict) and not str(model_input.get("prompt", "x")).strip():
        found = [{"loc": "prompt", "msg": "must not be blank"}]
    return found


def request_cost(model_input: Body) -> float:
    """Return the cost of a request's images in US dollars."""
    count = model_input.get("num_images", 1)
    factor = _PRICE_FACTORS.get(str(model_input.get("resolution", "1K")), 1.0)
    return round(_BASE_PRICE * factor * (count if isinstance(count, int) else 1), 4)
