"""`python -m tests.without_unix [ARGUMENT ...]`: the bot without what Windows lacks.

It can't show what Windows does differently, such as its event loop or that others can't read a locked file.
"""

from __future__ import annotations

import asyncio
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

MODULES = ("fcntl", "grp", "pwd", "resource", "termios", "uvloop")
FUNCTIONS = ("fchmod", "fchown", "fork", "geteuid", "getuid", "killpg", "setsid")
SIGNALS = ("SIGHUP", "SIGKILL", "SIGPIPE")
_rename = os.rename


def _rename_to_new(source: Any, target: Any) -> None:
    if Path(target).exists():
        raise FileExistsError(17, "exists", str(target))
    _rename(source, target)


def _not_implemented(*_: object) -> NoReturn:
    raise NotImplementedError


REPLACED: tuple[tuple[object, str, object], ...] = (
    (os, "rename", _rename_to_new),
    (asyncio.SelectorEventLoop, "add_signal_handler", _not_implemented),
)


def hide() -> None:
    """Hide modules, functions and signals, in this process only."""
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(MODULES))  # an import then fails
    for name in FUNCTIONS:
        delattr(os, name)
    for name in SIGNALS:
        delattr(signal, name)
    for owner, name, replacement in REPLACED:
        setattr(owner, name, replacement)


if __name__ == "__main__":
    hide()
    runpy.run_module("bot", run_name="__main__", alter_sys=True)
