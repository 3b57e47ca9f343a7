"""A copy of the bot with model files of its own, beside the model of /imagine."""

from __future__ import annotations

import json
import shutil
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from playground.process import BotProcess
from playground.runcomfy.catalogue import catalogue_entry
from tests.e2e.cli import CODE
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.environment import Environment

IMAGINE = "google/nano-banana-2/text-to-image"
CANVAS, SKETCH = "house/canvas/text-to-image", "house/sketch/text-to-image"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string", "title": "Prompt", "description": "What to draw"},
        "resolution": {"type": "string", "enum": ["0.5K", "1K"], "default": "0.5K"},
    },
}


def write_model(definitions: Path, model_id: str, **changes: Any) -> None:
    """Write the file of a model with a command like its name."""
    file = {
        "command": model_id.split("/")[1],
        "model_id": model_id,
        "texts": {"en-US": {"description": "Draw something"}},
        "highest_multiple": "2",
        "input_schema": SCHEMA,
        "output_schema": {},
    }
    path = definitions / f"{model_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(file | changes), "utf-8")


@asynccontextmanager
async def open_with_models(folder: Path, **settings: Any) -> AsyncIterator[Environment]:
    """Open an environment whose bot, not started yet, has the model of /imagine and two more."""
    code = folder / "code"
    for package in ("bot", "cogs"):
        shutil.copytree(CODE / package, code / package, ignore=shutil.ignore_patterns("__pycache__"))
    definitions = code / "bot/models/definitions"
    for file in definitions.rglob("*.json"):
        if file.relative_to(definitions).as_posix() != f"{IMAGINE}.json":
            file.unlink()
    settings = {"MODELS": f"{IMAGINE},{CANVAS},{SKETCH}", **settings}
    async with open_environment(folder, runcomfy={"seconds": 0}, is_started=False, **settings) as env:
        for model_id in (CANVAS, SKETCH):
            write_model(definitions, model_id)
            env.runcomfy.catalogue[model_id] = catalogue_entry(model_id, deepcopy(SCHEMA))
        env.settings["PYTHONPATH"] = str(code)
        env.bot = BotProcess(folder, env.settings, env.bot._log)
        try:
            yield env
        finally:
            if env.bot.is_running:
                await env.bot.stop()
