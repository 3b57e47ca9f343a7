"""Checks of this machine: settings, model files, database and disk."""

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

_LOW_SPACE_BYTES = 10**9


def read_settings() -> tuple[Config | None, set[str], list[Finding]]:
    """Return the settings with defaults for the invalid ones, the names of the invalid ones, and findings.

    The settings are None if the problem can't be attributed to single settings.
    """
    try:
        notes = [Finding("note", "settings", deprecation) for deprecation in config.deprecations()]
        return config.load(), set(), [Finding("ok", "settings", "complete and well-formed"), *notes]
    except ConfigError as error:
        findings = [Finding("problem", "settings", problem) for problem in error.problems]
        broken = {problem.split()[0].lower() for problem in error.problems} & Config.model_fields.keys()
    if not broken:
        return None, set(), findings
    unchecked: dict[str, Any] = dict.fromkeys(broken, (Any, None))
    lenient = create_model("LenientConfig", __base__=Config, **unchecked)
    defaults = {name: Config.model_fields[name].default for name in broken}
    return lenient(**defaults), broken, findings


def check_models() -> list[Finding]:
    """Check that the model files can be loaded."""
    try:
        catalogue = Catalogue.load()
    except ConfigError as error:
        return [Finding("problem", "models", f"{problem}: fix or restore it") for problem in error.problems]
    return [Finding("ok", "models", ", ".join(catalogue))]


async def check_database(settings: Config) -> list[Finding]:
    """Check that the database can be used, and find the process that uses it."""
    return [await asyncio.to_thread(_check_database, settings.database_url)]


def _check_database(path: Path) -> Finding:
    if not path.exists():
        if not os.access(_nearest_folder(path.parent), os.W_OK | os.X_OK):
            return Finding("problem", "database", "DATABASE_URL lies where the bot may not write")
        return Finding("note", "database", "none yet; the bot's first start makes it")
    try:
        found = inspect_database(path)
    except ConfigError as error:
        remedy = "check who may write it, and whether another program has it open"
        return Finding("problem", "database", f"{'; '.join(error.problems)}: {remedy}")
    if found.version > found.newest:
        text = f"version {found.version} was written by a newer bot, this one knows {found.newest}: update it"
        return Finding("problem", "database", text)
    update = "" if found.version == found.newest else f", the next start makes it {found.newest}"
    holder = f"used by the bot with process id {found.holder}" if found.holder else "no bot runs on it"
    text = f"can be written, version {found.version}{update}, {found.size / 10**6:.1f} MB, {holder}"
    return Finding("ok", "database", text)


async def check_disk(settings: Config) -> list[Finding]:
    """Check the free space for the database and for images that wait to be posted."""
    free = shutil.disk_usage(_nearest_folder(settings.database_url.parent)).free
    text = f"{free / 10**9:.1f} GB free beside the database"
    if free < FREE_BYTES_MIN:
        return [Finding("problem", "disk", f"{text}: make room, or no images can be generated")]
    if free < _LOW_SPACE_BYTES:
        return [Finding("note", "disk", f"{text}: make room soon")]
    return [Finding("ok", "disk", text)]


async def check_files(settings: Config) -> list[Finding]:
    """Check that images can be stored, by writing and removing a real file."""
    folder = settings.database_url.parent / FOLDER_NAME
    problem = await asyncio.to_thread(probe_folder, folder, keep=False)
    if problem:
        text = f"{problem}: fix its owner, permissions or free space, or no images can be generated"
        return [Finding("problem", "files", text)]
    return [Finding("ok", "files", f"images can be stored in {folder.absolute()} by user id {os.geteuid()}")]


def _nearest_folder(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
