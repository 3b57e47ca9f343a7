"""Checks of this machine: settings, model files, database and disk."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

from pydantic import create_model

from bot import config, log
from bot.config import Config
from bot.diagnostics.finding import Finding, note, ok, problem
from bot.errors import ConfigError
from bot.media import kept, store
from bot.media.folder_probe import FREE_BYTES_MIN, probe_folder, process_user
from bot.models.catalogue import Catalogue
from bot.storage.database_url import PostgresUrl
from bot.storage.inspection import inspect_database, inspect_server

_LOW_SPACE_BYTES = 10**9
_NEWER = "version {found.version} is from a newer bot (this one knows {found.newest}): update it"


def read_settings() -> tuple[Config | None, set[str], list[Finding]]:
    """Return the settings with defaults for the invalid ones, the names of the invalid ones, and findings.

    The settings are None if the problem can't be attributed to single settings.
    """
    try:
        settings = config.load()
        notes = [note("settings", deprecation) for deprecation in config.deprecations()]
        return settings, set(), [ok("settings", "valid"), *notes, *_exposed("settings", Path(".env"))]
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
    if isinstance(path := settings.database_url, PostgresUrl):
        return _check_server(path)
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
        return [problem("database", _NEWER.format(found=found))]
    update = "" if found.version == found.newest else f", the next start migrates it to {found.newest}"
    holder = f"in use by the bot with process id {found.holder}" if found.holder else "not in use"
    text = f"writable, version {found.version}{update}, {found.size / 10**6:.1f} MB, {holder}"
    return [ok("database", text), *_paused(found.paused_since), *_exposed("database", path)]


def _exposed(subject: str, path: Path) -> list[Finding]:
    """Return a note if every user of this machine can read a file."""
    if os.name != "posix" or not path.exists() or not path.stat().st_mode & stat.S_IROTH:
        return []
    return [note(subject, f"other users of this machine can read {path}: chmod 600 {path}")]


def _check_server(url: PostgresUrl) -> list[Finding]:
    try:
        found = inspect_server(url)
    except ConfigError as error:
        return [problem("database", "; ".join(error.problems))]
    server = f"PostgreSQL {found.server}"
    if found.version > found.newest:
        return [problem("database", _NEWER.format(found=found))]
    if not found.version:
        return [note("database", f"{server} has no tables yet; the bot creates them when it first starts")]
    update = "" if found.version == found.newest else f", the next start migrates it to {found.newest}"
    size = f"{found.size / 10**6:.1f} MB"
    text = f"{server}, version {found.version}{update}, {size}"
    return [ok("database", text), *_paused(found.paused_since)]


def _paused(since: str | None) -> list[Finding]:
    paused = f"paused since {since}: allow it again with python -m bot resume"
    return [note("spending", paused)] if since else []


def check_disk(settings: Config) -> list[Finding]:
    """Check the free space for the database and for images that wait to be posted."""
    free = shutil.disk_usage(_nearest_folder(settings.files_root)).free
    has_file = isinstance(settings.database_url, Path)
    text = f"{free / 10**9:.1f} GB free on the disk of the {'database' if has_file else 'images'}"
    if free < FREE_BYTES_MIN:
        return [problem("disk", f"{text}: free up space, or no images can be generated")]
    if free < _LOW_SPACE_BYTES:
        return [note("disk", f"{text}: free up space soon")]
    return [ok("disk", text)]


def check_files(settings: Config) -> list[Finding]:
    """Check that images can be stored, by writing and removing a real file."""
    folder = settings.files_root / store.FOLDER_NAME
    for each in (folder, settings.files_root / kept.FOLDER_NAME):
        if trouble := probe_folder(each, keep=False):
            text = f"{trouble}: fix its owner, permissions or free space, or no images can be generated"
            return [problem("files", text)]
    return [ok("files", f"images can be stored in {folder.absolute()} by {process_user()}")]


def _nearest_folder(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
