"""Checks of this machine: settings, model files, database and disk."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from pydantic import create_model

from bot import config, log
from bot.config import Config
from bot.diagnostics.finding import Finding, note, ok, problem
from bot.errors import ConfigError
from bot.media import kept, store
from bot.media.folder_probe import FREE_BYTES_MIN, probe_folder
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
        settings = config.load()
        notes = [note("settings", deprecation) for deprecation in config.deprecations()]
        return settings, set(), [ok("settings", "valid"), *notes]
    except ConfigError as error:
        findings = [problem("settings", each) for each in error.problems]
        broken = {each.split()[0].lower() for each in error.problems} & Config.model_fields.keys()
    if not broken:
        return None, set(), findings
    unchecked: dict[str, Any] = dict.fromkeys(broken, (Any, None))
    lenient = create_model("LenientConfig", __base__=Config, **unchecked)
    defaults = {name: Config.model_fields[name].default for name in broken}
    settings = lenient(**defaults)
    log.hide(settings.secrets)
    return settings, broken, findings


def check_models(settings: Config | None) -> list[Finding]:
    """Check that the model files can be loaded, and that MODELS names some of them."""
    try:
        Catalogue.load(named=settings.models if settings else None)
    except ConfigError as error:
        return [problem("models", f"{each}: fix or restore it") for each in error.problems]
    return []  # `check_offered` says more


def check_database(settings: Config) -> list[Finding]:
    """Check that the database can be used, and find the process that uses it."""
    path = settings.database_url
    if not path.exists():
        if not os.access(_nearest_folder(path.parent), os.W_OK | os.X_OK):
            return [problem("database", "DATABASE_URL is in a folder that the bot can't write to")]
        return [note("database", "not created yet; the bot does so when it first starts")]
    try:
        found = inspect_database(path)
    except ConfigError as error:
        remedy = "check its permissions, and whether another program has it open"
        return [problem("database", f"{'; '.join(error.problems)}: {remedy}")]
    if found.version > found.newest:
        text = f"version {found.version} is from a newer bot (this one knows {found.newest}): update it"
        return [problem("database", text)]
    update = "" if found.version == found.newest else f", the next start migrates it to {found.newest}"
    holder = f"in use by the bot with process id {found.holder}" if found.holder else "not in use"
    text = f"writable, version {found.version}{update}, {found.size / 10**6:.1f} MB, {holder}"
    if found.paused_since is None:
        return [ok("database", text)]
    paused = f"paused since {found.paused_since}: allow it again with python -m bot resume"
    return [ok("database", text), note("spending", paused)]


def check_disk(settings: Config) -> list[Finding]:
    """Check the free space for the database and for images that wait to be posted."""
    free = shutil.disk_usage(_nearest_folder(settings.database_url.parent)).free
    text = f"{free / 10**9:.1f} GB free on the disk of the database"
    if free < FREE_BYTES_MIN:
        return [problem("disk", f"{text}: free up space, or no images can be generated")]
    if free < _LOW_SPACE_BYTES:
        return [note("disk", f"{text}: free up space soon")]
    return [ok("disk", text)]


def check_files(settings: Config) -> list[Finding]:
    """Check that images can be stored, by writing and removing a real file."""
    folder = settings.database_url.parent / store.FOLDER_NAME
    for each in (folder, settings.database_url.parent / kept.FOLDER_NAME):
        if trouble := probe_folder(each, keep=False):
            text = f"{trouble}: fix its owner, permissions or free space, or no images can be generated"
            return [problem("files", text)]
    return [ok("files", f"images can be stored in {folder.absolute()} by user id {os.geteuid()}")]


def _nearest_folder(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
