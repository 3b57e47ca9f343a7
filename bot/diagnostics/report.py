"""`python -m bot check`: one line per finding, with what to do; changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import stamina

from bot import log
from bot.config import Config
from bot.diagnostics import local, remote
from bot.diagnostics.finding import Finding, note, problem
from bot.diagnostics.models.check import check_offered

Check: TypeAlias = Callable[[Config], Awaitable[list[Finding]]]
_RUNCOMFY_SETTINGS = {"runcomfy_token", "runcomfy_api_url", "http_proxy", "https_proxy"}
CHECKS: tuple[tuple[str, Check, set[str]], ...] = (
    ("models", check_offered, {*_RUNCOMFY_SETTINGS, "models", "database_url"}),
    ("database", lambda settings: asyncio.to_thread(local.check_database, settings), {"database_url"}),
    ("disk", lambda settings: asyncio.to_thread(local.check_disk, settings), {"database_url", "files_dir"}),
    ("files", lambda settings: asyncio.to_thread(local.check_files, settings), {"database_url", "files_dir"}),
    ("Discord", remote.check_discord, {"discord_token", "discord_proxy"}),
    ("RunComfy", remote.check_runcomfy, _RUNCOMFY_SETTINGS),
)
"""The checks, which run concurrently, and the settings that each one needs."""


async def run() -> list[Finding]:
    """Run every check and return the findings."""
    log.set_up("CRITICAL")  # the findings explain it better
    stamina.set_active(False)  # report the current state, do not wait for a better one
    settings, broken, findings = local.read_settings()
    findings += local.check_models(settings)
    checks = [_run_check(name, check, settings, needed & broken) for name, check, needed in CHECKS]
    results = await asyncio.gather(*checks, return_exceptions=True)
    for (name, _, _), result in zip(CHECKS, results, strict=True):
        if isinstance(result, BaseException):
            findings.append(problem(name, f"could not be checked: {type(result).__name__}"))
        else:
            findings += result
    return findings


async def _run_check(name: str, check: Check, settings: Config | None, broken: set[str]) -> list[Finding]:
    if settings is None or broken:
        return [note(name, "not checked: fix the settings first")]
    return await check(settings)
