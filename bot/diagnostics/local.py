"""Looks at what lies on this machine: settings, model files, database, disk."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING, Any

from pydantic import create_model

from bot import config
from bot.config import Config
from bot.diagnostics.finding import Finding
from bot.errors import ConfigError
from bot.media.folder_probe import FREE_BYTES_MIN, probe_folder
from bot.media.store import FOLDER_NAME
from bot.models.catalogue import Catalogue
from bot.storage.inspection import inspect_database

if TYPE_CHECKING:
    from pathlib import Path

_LOW_SPACE_BYTES = 10**9  # bytes


def read_settings() -> tuple[Config | None, frozenset[str], list[Finding]]:
    """The settings, with the defaults for those that are broken; the names of those; what is to be said."""
    try:
        return config.load(), frozenset(), [Finding("ok", "settings", "complete and well-formed")]
    except ConfigError as error:
        found = [Finding("problem", "settings", problem) for problem in error.problems]
        broken = {problem.split()[0].lower() for problem in error.problems} & Config.model_fields.keys()
    if not broken:
        return None, frozenset(), found
    unchecked: dict[str, Any] = dict.fromkeys(broken, (Any, None))
    mended = create_model("Mended", __base__=Config, **unchecked)
    defaults = {name: Config.model_fields[name].default for name in broken}
    return mended(**defaults), frozenset(broken), found


def check_models() -> list[Finding]:
    """Whether the model files can be used."""
    try:
        catalogue = Catalogue.load()
    except ConfigError as error:
        return [Finding("problem", "models", f"{problem}: mend or restore it") for problem in error.problems]
    return [Finding("ok", "models", ", ".join(catalogue))]


async def check_database(config: Config) -> list[Finding]:
    """Whether the database can be used, and who uses it."""
    return await asyncio.to_thread(_database, config.database_url)


def _database(path: Path) -> list[Finding]:
    if not path.exists():
        folder = _existing(path.parent)
        if not os.access(folder, os.W_OK | os.X_OK):
            return [Finding("problem", "database", "DATABASE_URL lies where the bot may not write")]
        return [Finding("note", "database", "none yet; the bot's first start makes it")]
    try:
        found = inspect_database(path)
    except ConfigError as error:
        remedy = "check who may write it, and whether another program has it open"
        return [Finding("problem", "database", f"{problem}: {remedy}") for problem in error.problems]
    if found.version > found.newest:
        text = f"version {found.version} was written by a newer bot, this one knows {found.newest}: update it"
        return [Finding("problem", "database", text)]
    update = "" if found.version == found.newest else f", the next start makes it {found.newest}"
    holder = f"used by the bot with process id {found.holder}" if found.holder else "no bot runs on it"
    text = f"can be written, version {found.version}{update}, {found.size / 10**6:.1f} MB, {holder}"
    return [Finding("ok", "database", text)]


async def check_disk(config: Config) -> list[Finding]:
    """Whether there is room for the database and for images that wait to be posted."""
    free = shutil.disk_usage(_existing(config.database_url.parent)).free
    text = f"{free / 10**9:.1f} GB free beside the database"
    if free < FREE_BYTES_MIN:
        return [Finding("problem", "disk", f"{text}: make room, or nothing can be ordered")]
    if free < _LOW_SPACE_BYTES:
        return [Finding("note", "disk", f"{text}: make room soon")]
    return [Finding("ok", "disk", text)]


async def check_files(config: Config) -> list[Finding]:
    """Whether images can be stored, tested with a real file that is then removed."""
    folder = config.database_url.parent / FOLDER_NAME
    problem = await asyncio.to_thread(probe_folder, folder, keep=False)
    if problem:
        text = f"{problem}: fix its owner, permissions or free space, or nothing can be ordered"
        return [Finding("problem", "files", text)]
    return [Finding("ok", "files", f"images can be stored in {folder.absolute()} by user id {os.geteuid()}")]


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
