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

Check: TypeAlias = Callable[[Config], Awaitable[list[Finding]]]
CHECKS: tuple[tuple[str, Check, frozenset[str]], ...] = (
    ("database", local.check_database, frozenset({"database_url"})),
    ("disk", local.check_disk, frozenset({"database_url"})),
    ("files", local.check_files, frozenset({"database_url"})),
    ("Discord", remote.check_discord, frozenset({"discord_token", "discord_proxy"})),
    (
        "RunComfy",
        remote.check_runcomfy,
        frozenset({"runcomfy_token", "runcomfy_api_url", "http_proxy", "https_proxy"}),
    ),
)
"""What is checked concurrently, and the settings that each check needs."""


async def run() -> int:
    """Look at everything and print it; 0 where there is no problem, else 1."""
    log.set_up("CRITICAL")  # the lines below say it better
    stamina.set_active(False)  # how it is now, not how it may become
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # where a terminal has no such letters
    findings = await _findings()
    print(*findings, sep="\n")  # noqa: T201 (for the owner)
    return int(any(finding.severity == "problem" for finding in findings))


async def _findings() -> list[Finding]:
    settings, broken, found = local.read_settings()
    found += local.check_models()
    runs = [_run_check(name, check, settings, needed & broken) for name, check, needed in CHECKS]
    seen = await asyncio.gather(*runs, return_exceptions=True)
    for (name, _, _), each in zip(CHECKS, seen, strict=True):
        if isinstance(each, BaseException):
            found.append(Finding("problem", name, f"could not be looked at: {type(each).__name__}"))
        else:
            found += each
    return found


async def _run_check(
    name: str, check: Check, config: Config | None, lacking: frozenset[str]
) -> list[Finding]:
    if config is None or lacking:
        return [Finding("note", name, "not looked at: mend the settings first")]
    return await check(config)
