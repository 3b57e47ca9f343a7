"""Properties of an input schema that take pictures, and the attachment options that they become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_FILES: Final = 10
"""The most attachment options of a command."""

_IMAGE_FORMATS: Final = frozenset({"image_uri", "image_uris"})


@dataclass(frozen=True, slots=True)
class FileInput:
    """A property that takes one picture or a list of them."""

    name: str
    is_list: bool
    least: int
    """The fewest pictures, at least 1; an optional property can have none, too."""
    most: int
    """The most pictures, up to `MAX_FILES`."""
    required: bool
    title: str
    description: str

    @classmethod
    def parse(cls, name: str, rules: Mapping[str, Any], *, is_required: bool) -> FileInput:
        """Parse a property whose `file_format` is one of images.

        Raises:
            ValueError: It needs more pictures than a command can ask for, or allows none.
        """
        is_list = rules.get("type") == "array"
        least, most = 1, 1
        if is_list:
            least, most = max(1, rules.get("minItems", 1)), min(rules.get("maxItems", MAX_FILES), MAX_FILES)
        if least > most:
            raise ValueError(f"{name}: needs {least} pictures, but at most {most} are possible")
        return cls(
            name=name,
            is_list=is_list,
            least=least,
            most=most,
            required=is_required,
            title=str(rules.get("title", "")),
            description=str(rules.get("description", "")),
        )


def file_format(described: object) -> str | None:
    """Return the format of a property that takes files, such as "image_uris", or None if it takes none.

    RunComfy marks them by format, in a list also by that of its items; the names differ in every model.
    """
    if not isinstance(described, dict):
        return None
    items = described.get("items")
    formats = [described.get("format"), items.get("format") if isinstance(items, dict) else None]
    return next((each for each in formats if isinstance(each, str) and each.endswith(("uri", "uris"))), None)


def takes_images(described: object) -> bool:
    """Return whether a property of a schema takes pictures."""
    return file_format(described) in _IMAGE_FORMATS


def share_options(files: Sequence[FileInput]) -> tuple[tuple[str, FileInput], ...]:
    """Return a command's attachment options, and the property that each one fills.

    They are called image, image2, ... image10. Required properties come first, with as many options as they
    need; lists share the others up to their maximum.

    Raises:
        ValueError: The required properties need more than `MAX_FILES`.
    """
    ordered = sorted(files, key=lambda file: not file.required)
    counts = {file.name: file.least if file.required else 0 for file in ordered}
    if sum(counts.values()) > MAX_FILES:
        names = ", ".join(file.name for file in ordered if file.required)
        raise ValueError(f"{names}: need {sum(counts.values())} pictures, but a command takes {MAX_FILES}")
    while sum(counts.values()) < MAX_FILES and (
        growing := [file for file in ordered if counts[file.name] < file.most]
    ):
        smallest = min(growing, key=lambda file: counts[file.name])
        counts[smallest.name] += 1
    filled = [file for file in ordered for _ in range(counts[file.name])]
    names_ = ["image", *(f"image{number}" for number in range(2, MAX_FILES + 1))]
    return tuple(zip(names_, filled, strict=False))
