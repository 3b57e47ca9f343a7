"""`python -m bot first-run`: what differs from the stand-ins, for at most one paid request."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from playground.runcomfy import Fault, edit_json, reset, respond
from tests.e2e.cli import check_output, open_command, run_command
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.e2e.environment import Environment

FAST = {"seconds": 0.05}
ROW = re.compile(r"(same|different|note|skipped) +(\S.*)")
LEFT = 9 + 2  # the column of the questions
SEEN = LEFT + 24 + 2 + 32 + 2


def rows(text: str) -> dict[str, tuple[str, str]]:
    """Return the result and what was seen, by question."""
    found: dict[str, tuple[str, str]] = {}
    lines = text.partition("\n---------  ")[2].splitlines()[1:]
    question = ""
    for line in lines:
        name, seen = line[LEFT:].partition("  ")[0].strip(), line[SEEN:]
        if line[:LEFT].strip():
            question = name
            found[question] = (line[:LEFT].strip(), seen)
        else:
            result, before = found[question]
            found[question] = (result, f"{before} {seen}".strip())
    return found


def differences(text: str) -> dict[str, str]:
    return {question: seen for question, (result, seen) in rows(text).items() if result == "different"}
