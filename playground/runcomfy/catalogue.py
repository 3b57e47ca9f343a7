"""The local RunComfy's models, input validation and error responses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from jsonschema import Draft202012Validator

import bot
from playground.runcomfy.input_files import file_properties
from playground.runcomfy.prices import base_price, pricing_note

if TYPE_CHECKING:
    from collections.abc import Iterable

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
_MESSAGE_MAX = 300  # jsonschema repeats the value, which can be megabytes


def error_response(kind: ErrorKind, profile: Profile) -> tuple[int, Body]:
    """Return the HTTP status and body of an error; the profile "http" has no error codes."""
    code, docs_status, http_status, text = _ERRORS[kind]
    if profile == "http":
        return http_status, {"message": text}
    return docs_status, {"error_code": code, "error_message": text}


def load_model_files() -> dict[str, Body]:
    """Return the bot's model files by model_id."""
    files = sorted((Path(bot.__file__).parent / "models").rglob("*.json"))
    models = (json.loads(file.read_text("utf-8")) for file in files)
    return {model["model_id"]: model for model in models}


def catalogue_entry(model_id: str, input_schema: Body) -> Body:
    """Return a model as `GET /v1/models` describes it."""
    return {
        "model_id": model_id,
        "display_name": model_id,
        "kind": "model",
        "categories": ["image-to-image" if file_properties(input_schema) else "text-to-image"],
        "base_price_usd": base_price(model_id),
        "price_unit": "output",
        "pricing_note": pricing_note(input_schema),
        "input_schema": input_schema,
    }


def option_values(model_input: Body, input_schema: Body, unsent_defaults: Iterable[str]) -> Body:
    """Return an input without its files and with the defaults that apply to what it leaves out."""
    described: dict[str, Body] = input_schema["properties"]
    files = file_properties(input_schema)
    defaults = {
        name: rules["default"]
        for name, rules in described.items()
        if rules.get("default") is not None and name not in unsent_defaults
    }
    return {name: value for name, value in (defaults | model_input).items() if name not in files}


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


def validation_errors(model_input: object, input_schema: Body) -> list[dict[str, str]]:
    """Return the input's schema violations as a `detail` list."""
    # "float" is RunComfy's addition to the types of JSON Schema.
    properties = {
        name: {**rules, "type": "number"} if rules.get("type") == "float" else rules
        for name, rules in input_schema["properties"].items()
    }
    found = [
        {"loc": "/".join(map(str, error.path)), "msg": error.message[:_MESSAGE_MAX]}
        for error in Draft202012Validator({**input_schema, "properties": properties}).iter_errors(model_input)
    ]
    if not found and isinstance(model_input, dict) and not str(model_input.get("prompt", "x")).strip():
        found = [{"loc": "prompt", "msg": "must not be blank"}]
    return found
