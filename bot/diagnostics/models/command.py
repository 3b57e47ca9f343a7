"""The command's actions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot import log
from bot.diagnostics.models.adding import add_model
from bot.diagnostics.models.check import check_files
from bot.diagnostics.models.listing import list_models

if TYPE_CHECKING:
    from collections.abc import Callable


def run(show: Callable[..., None], action: str, model_id: str = "") -> int:
    """Run an action ("list", "check" or "add") and show its lines; return the exit code.

    Raises:
        ConfigError: The settings or files can't be used, RunComfy refuses to answer, or the model can't be
            added.
    """
    log.set_up("CRITICAL")  # the lines explain it better
    match action:
        case "check":
            findings = asyncio.run(check_files())
            show(*findings)
            return int(any(finding.severity == "problem" for finding in findings))
        case "add":
            show(*map(log.escape_control, add_model(model_id)))
        case _:
            show(*list_models())
    return 0
