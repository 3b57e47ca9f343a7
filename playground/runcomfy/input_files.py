"""File inputs: properties of the format `image_uri` or `image_uris`, each with data URIs or URLs."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.runcomfy.faults import Body
    from playground.runcomfy.switches import Switches

_FORMATS = {"image_uri", "image_uris"}
_TYPES = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
_DATA_URI = re.compile(r"data:(?P<type>[^;,]*)(?P<base64>;base64)?,")
_MEGABYTE = 1_000_000  # as RunComfy's own client counts
MAX_BYTES = 50 * _MEGABYTE  # what RunComfy recommends for images; a model can have a lower limit


@dataclass
class InputPicture:
    """A picture of a request: what was sent for it, and its bytes once they are known."""

    property: str
    source: str
    data: bytes | None = None


class InputFileError(Exception):
    """The message is what RunComfy says about the file."""


def file_properties(input_schema: Body) -> frozenset[str]:
    """Return the names of the properties that take files."""
    described: dict[str, Body] = input_schema.get("properties", {})
    return frozenset(
        name
        for name, rules in described.items()
        if {rules.get("format"), rules.get("items", {}).get("format")} & _FORMATS
    )


def read_pictures(
    model_input: Body, input_schema: Body, switches: Switches
) -> tuple[list[InputPicture], list[dict[str, str]]]:
    """Decode the data URIs of an input that fits the schema; return also what is wrong as a `detail` list."""
    pictures, problems = [], []
    for name, place, source in _sources(model_input, input_schema):
        pictures.append(picture := InputPicture(name, source))
        try:
            picture.data = _decode_at_submit(source, switches)
            _check_validations(picture.data, input_schema["properties"][name])
        except InputFileError as error:
            problems.append({"loc": place, "msg": str(error)})
    return pictures, problems


def data_uri_pictures(values: Body) -> Iterator[bytes]:
    """Yield the bytes of every data URI, in order.

    Raises:
        InputFileError: One is not what RunComfy accepts.
    """
    for value in values.values():
        for source in value if isinstance(value, list) else [value]:
            if isinstance(source, str) and source.startswith("data:"):
                yield _decode(source)


def check_picture(data: bytes, kind: str | None = None) -> None:
    """Check the size and the head of a picture.

    Raises:
        InputFileError: It is too large, not of that kind, or no picture that RunComfy knows.
    """
    if len(data) > MAX_BYTES:
        raise InputFileError(f"File size must be less than {MAX_BYTES // _MEGABYTE} MB.")
    try:
        with Image.open(io.BytesIO(data), formats=[kind] if kind else list(_TYPES.values())):
            pass
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputFileError("cannot identify image file") from None


def _sources(model_input: Body, input_schema: Body) -> Iterator[tuple[str, str, str]]:
    """Yield the property, the place and the text of every file."""
    names = file_properties(input_schema)
    for name, value in model_input.items():
        if name in names and isinstance(value, list):
            yield from ((name, f"{name}/{index}", str(source)) for index, source in enumerate(value))
        elif name in names:
            yield name, name, str(value)


def _decode_at_submit(source: str, switches: Switches) -> bytes | None:
    """Return the bytes of a data URI, or None if the running request has to get them."""
    if source.startswith("data:"):
        if switches.data_uris == "refused":
            raise InputFileError("must be a public URL")
        return _decode(source) if switches.data_uris == "accepted" else None
    if not source.startswith(("https://", "http://")):
        raise InputFileError("must be a URL or a data URI")
    if switches.urls == "refused":
        raise InputFileError("must be a data URI")
    return None


def _decode(source: str) -> bytes:
    head = _DATA_URI.match(source)
    if head is None or not head["base64"]:
        raise InputFileError("must be a data URI with base64")
    kind = _TYPES.get(head["type"].removeprefix("image/"))
    if kind is None or not head["type"].startswith("image/"):
        raise InputFileError(f"the type {head['type'][:40]!r} is none of PNG, JPEG and WebP")
    try:
        data = base64.b64decode(source[head.end() :], validate=True)
    except ValueError:
        raise InputFileError("invalid base64") from None
    check_picture(data, kind)
    return data


def _check_validations(data: bytes | None, rules: dict[str, Any]) -> None:
    for rule in rules.get("validations", ()) if data is not None else ():
        limit = rule["validation_value"] * _MEGABYTE
        if rule["validation_rule"] == "file_size_mb<" and data is not None and len(data) >= limit:
            raise InputFileError(rule["validation_error"])
