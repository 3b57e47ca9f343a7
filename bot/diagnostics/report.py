"""`python -m bot check`: what is right and what is wrong, a line each, with what to do; changes nothing."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import stamina

from bot import log
from bot.config import Config
from bot.diagnostics import local, remote
from bot.diagnostics.finding import Finding

__all__ = ["run"]

_Look: TypeAlias = Callable[[Config], Awaitable[list[Finding]]]
_LOOKS: tuple[tuple[str, _Look, frozenset[str]], ...] = (
    ("database", local.look_at_database, frozenset({"database_url"})),
    ("disk", local.look_at_disk, frozenset({"database_url"})),
    ("files", local.look_at_files, frozenset({"database_url"})),
    ("Discord", remote.look_at_discord, frozenset({"discord_token", "discord_proxy"})),
    (
        "RunComfy",
        remote.look_at_runcomfy,
        frozenset({"runcomfy_token", "runcomfy_api_url", "http_proxy", "https_proxy"}),
    ),
)
"""What is looked at all at once, and the settings without which it cannot be."""


async def run() -> int:
    """Look at everything and print it; 0 where there is no problem, else 1."""
    log.set_up("CRITICAL")  # the lines below say it better
    stamina.set_active(False)  # how it is now, not how it may become
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # where a terminal has no such letters
    findings = await _findings()
    print(*findings, sep="\n")  # noqa: T201 (for the owner)
    return int(any(finding.word == "problem" for finding in findings))


async def _findings() -> list[Finding]:
    settings, broken, found = local.read_settings()
    found += local.look_at_models()
    looks = [_look(name, look, settings, needed & broken) for name, look, needed in _LOOKS]
    seen = await asyncio.gather(*looks, return_exceptions=True)
    for (name, _, _), each in zip(_LOOKS, seen, strict=True):
        if isinstance(each, BaseException):
            found.append(Finding("problem", name, f"could not be looked at: {type(each).__name__}"))
        else:
            found += each
    return found


async def _look(name: str, look: _Look, config: Config | None, lacking: frozenset[str]) -> list[Finding]:
    if config is None or lacking:
        return [Finding("note", name, "not looked at: mend the settings first")]
    return await look(config)
