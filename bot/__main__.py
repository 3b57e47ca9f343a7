"""`python -m bot`: handle signals from the first moment, then run the command line.

The imports of `bot.cli` take a third of a second. A SIGTERM in that time would be lost if the bot
is process 1, as in a container: the kernel drops signals that process 1 has no handler for.
"""

from __future__ import annotations

import os
import signal
import sys

from bot.signals import STOP_SIGNALS

if __name__ == "__main__":
    for number in STOP_SIGNALS:
        # os._exit, since a library may catch what a handler raises; nothing is open yet that needs closing.
        # `bot.app` replaces this handler before it opens anything.
        signal.signal(number, lambda *_: os._exit(0))

    from bot.cli import main

    sys.exit(main())
