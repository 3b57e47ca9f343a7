"""Write the file of a model from what RunComfy says about it."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot import config
from bot.diagnostics.models.asking import ask_models
from bot.errors import BotError, ConfigError
from bot.models.catalogue import DEFINITIONS, Catalogue
from bot.models.live import MODEL_ID, LiveModel
from bot.models.model import MAX_DESCRIPTION, MAX_NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bot.models.file_inputs import FileInput
    from bot.models.model import Model
    from bot.models.options import Option

_MAX_ID: Final = 200
_GENERATES: Final = {"text-to-image", "image"}
"""The ends of model_ids that a command's name leaves out."""
_OMITTED: Final = re.compile(r"\b(omit\w*|left out|not (set|given|provided|specified))\b", re.IGNORECASE)
"""In the description of an option that does something else if it is left out."""
_URI: Final = {"type": "string", "format": "uri"}
# RunComfy's answer has none; its documentation has the same one for every model.
_OUTPUT_SCHEMA: Final = {
    "type": "object",
    "properties": {"image": _URI, "images": {"type": "array", "items": _URI}},
}


def add_model(model_id: str, folder: Path = DEFINITIONS) -> list[str]:
    """Write a model's file into the folder of definitions, and return what to do next, as lines.

    Raises:
        ConfigError: The settings or files can't be used, RunComfy doesn't know the model or refuses to
            answer, the model makes no images or can't be a command of Discord, or it has a file.
    """
    if not MODEL_ID.fullmatch(model_id) or len(model_id) > _MAX_ID:
        raise ConfigError(["that is not a model id; one looks like google/nano-banana-2/edit"])
    settings, catalogue, path = config.load(), Catalogue.load(folder), folder / f"{model_id}.json"
    if model_id in catalogue or path.exists():
        raise ConfigError([f"{model_id} has a file already, which was not changed"])
    answer = asyncio.run(ask_models(settings, [model_id]))[model_id]
    if isinstance(answer, BotError):
        raise ConfigError([f"RunComfy can't be asked about {model_id}: {answer}"])
    if answer is None:
        raise ConfigError([f"RunComfy has no model {model_id} (a page's address can differ from the id)"])
    schema = _usable_schema(model_id, answer)
    command = _command(model_id, {model.command for model in catalogue.values()})
    file = {
        "command": command,
        "model_id": model_id,
        "texts": {"en-US": {"description": "", "options": {}}},
        "input_schema": schema,
        "output_schema": _OUTPUT_SCHEMA,
    }
    model = _load(file)
    file["texts"] = {"en-US": _texts(model, answer)}
    _load(file)
    _write(path, json.dumps(file, indent=2, ensure_ascii=False) + "\n")
    return _next_steps(path, model, answer, settings.models)


def _usable_schema(model_id: str, entry: LiveModel) -> Mapping[str, Any]:
    """Return the input schema of a model whose images a command could offer.

    Raises:
        ConfigError: It is not such a model.
    """
    if entry.model_id not in {None, model_id}:
        raise ConfigError([f"RunComfy calls this model {entry.model_id}: add that"])
    kinds = ", ".join(sorted(entry.output_kinds))
    if (kinds and "image" not in kinds) or entry.price_unit == "second":
        raise ConfigError([f"{model_id} makes {kinds or 'video or audio'}, and the bot posts only images"])
    if entry.input_schema is None:
        raise ConfigError([f"RunComfy's answer about {model_id} has no input_schema"])
    if '"$ref"' in json.dumps(entry.input_schema):
        raise ConfigError([f"{model_id}: input_schema: has a $ref, which the bot would have to fetch"])
    return entry.input_schema


def _load(file: Mapping[str, Any]) -> Model:
    """Return the model of a file.

    Raises:
        ConfigError: The bot could not start with it.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "model.json").write_text(json.dumps(file), "utf-8")
        try:
            (model,) = Catalogue.load(Path(folder)).values()
        except ConfigError as error:
            reasons = [each.replace("model.json", file["model_id"], 1) for each in error.problems]
            raise ConfigError(reasons) from None
    return model


def _command(model_id: str, taken: Collection[str]) -> str:
    """Return a free name in the group of the other models, such as "image seedream-5-0-pro"."""
    *words, kind = model_id.lower().split("/")[1:]
    if kind not in _GENERATES or not words:
        words.append("edit" if kind == "image-to-image" else kind)
    name = re.sub(r"[^a-z0-9_]+", "-", "-".join(words)).strip("-")[:MAX_NAME]
    free, number = name, 2
    while f"image {free}" in taken:
        suffix = f"-{number}"
        free, number = name[: MAX_NAME - len(suffix)] + suffix, number + 1
    return f"image {free}"


def _texts(model: Model, entry: LiveModel) -> dict[str, Any]:
    """Return the English texts, from RunComfy as far as it has any."""
    verb = "Edit pictures" if model.schema.files else "Generate images"
    described: list[Option | FileInput] = [*model.schema.options.values(), *model.schema.files.values()]
    return {
        "description": _short(f"{verb} with {entry.display_name or model.model_id}"),
        "options": {
            each.name: {
                "title": _short(each.title) or each.name.replace("_", " ").strip().capitalize(),
                **({"description": _short(each.description)} if each.description.strip() else {}),
            }
            for each in described
        },
    }


def _short(text: str) -> str:
    return textwrap.shorten(text, MAX_DESCRIPTION, placeholder="…")


def _write(path: Path, text: str) -> None:
    """Create a file with all of its content at once.

    Raises:
        ConfigError: It exists, or can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not *.json, so that a killed command leaves nothing that the bot would load.
        with tempfile.TemporaryDirectory(dir=path.parent, suffix=".new") as folder:
            unfinished = Path(folder, path.name)
            unfinished.write_text(text, "utf-8")
            unfinished.chmod(0o644)
            path.hardlink_to(unfinished)
    except FileExistsError:
        raise ConfigError([f"{path} exists already, and was not changed"]) from None
    except OSError as error:
        raise ConfigError([f"{path} can't be written: {error.strerror}"]) from None


def _next_steps(path: Path, model: Model, entry: LiveModel, named: Collection[str]) -> list[str]:
    price = "states no price" if entry.image_price is None else f"states ${entry.image_price:f}"
    note = f': "{entry.pricing_note}"' if entry.pricing_note else ""
    options = model.schema.options.values()
    unsent = [each.name for each in options if each.default is not None and _OMITTED.search(each.description)]
    steps = {
        "command": "one word after /image, or one word of its own",
        "texts": 'shorten them, and add other languages such as "ru"',
        "credits": f"an image costs 1; a table can price options. RunComfy {price} per image{note}",
        "highest_multiple": 'add it, such as "4", how far options multiply that price; BUDGET_USD needs it',
    }
    if unsent:
        text = f"add it if a default must not be sent; see the description of {', '.join(unsent)}"
        steps["unsent_defaults"] = text
    return [
        f"wrote {path} with the command /{model.command}",
        "edit it before you use it:",
        *(f"- {name}: {text}" for name, text in steps.items()),
        f"then set MODELS={','.join([*named, model.model_id])} and restart the bot",
    ]
