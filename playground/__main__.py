"""`python -m playground`: a local Discord, a local RunComfy, the bot and a page, until Ctrl+C."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections import ChainMap
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bot.signals import call_on_stop
from playground import saved
from playground.bot_log import open_bot_log
from playground.clock import CLOCK
from playground.controls import Controls
from playground.discord import LocalDiscord
from playground.postgres import NOT_INSTALLED, OWNER, PostgresServer, find_binaries
from playground.process import BotProcess, BotProcesses
from playground.runcomfy import LocalRunComfy

if TYPE_CHECKING:
    from collections.abc import Coroutine

_PAGE = Path(__file__).parent / "page"
_KEPT = Path.cwd() / ".playground"
_PORT = 8642
_BOT = "playground.shifted_bot"
_GENERATION_SECONDS = 4.0  # long enough to watch, and to cancel the job behind
_READY_SECONDS = 30
_HINT = """
  Type /imagine, write what you would like to see, and press Enter.
  Then try Re-roll, start two and cancel the second, switch to Mia and use /quota set,
  or kill the bot while it works and start it again. Ctrl+C closes everything.
  The bot's log: {log}

The playground is open: {address}
"""


class _Playground:
    """Runs one world after another in a folder: a reset ends one and begins the next."""

    def __init__(self, folder: Path, *, is_kept: bool, processes: int) -> None:
        self._folder, self._is_kept, self._processes = folder, is_kept, processes
        self._interrupted = asyncio.Event()
        self._ports = [_PORT, 0]
        self._is_announced = False
        call_on_stop(asyncio.get_running_loop(), self._interrupted.set)

    async def run(self) -> bool:
        """Run until interrupted; return False if the bot failed to start."""
        while await self._run_world():
            CLOCK.skip(-CLOCK.ahead)
            shutil.rmtree(self._folder)
        return self._interrupted.is_set()

    async def _run_world(self) -> bool:
        """Run until interrupted or until the bot fails to start; return True if the page asks for a reset."""
        self._folder.mkdir(exist_ok=True)
        settings: dict[str, str] = {}
        discord = LocalDiscord(self._folder, page=_PAGE, page_ports=self._ports)
        runcomfy = LocalRunComfy(workers=1, seconds=_GENERATION_SECONDS)
        if self._is_kept:
            saved.restore(self._folder / "stand-ins", discord, runcomfy)
        settings["CLOCK_SHIFT_SECONDS"] = str(CLOCK.ahead)
        async with AsyncExitStack() as stack:
            log = await stack.enter_async_context(open_bot_log(self._folder / "bot.log"))
            bot = self._bots(stack, discord, settings, log)
            controls = Controls(discord, runcomfy, bot, settings)
            discord.client_app.add_routes(controls.routes)
            await stack.enter_async_context(runcomfy)
            await stack.enter_async_context(discord)
            runcomfy.fetcher.connect = discord.connector
            self._ports = [discord.page_port]  # a reset keeps the address
            settings |= discord.environment | runcomfy.environment
            await bot.start()
            try:
                await self._wait(discord, bot, controls.is_reset)
            finally:
                await bot.stop()
        is_reset = controls.is_reset.is_set() and not self._interrupted.is_set()
        if self._is_kept and not is_reset:
            saved.save(self._folder / "stand-ins", discord, runcomfy)
        return is_reset

    def _bots(
        self, stack: AsyncExitStack, discord: LocalDiscord, settings: dict[str, str], log: IO[bytes]
    ) -> BotProcesses:
        """Return one bot, or several on a PostgreSQL server, each with one shard and a folder of its own."""
        if self._processes == 1:
            return BotProcesses([BotProcess(self._folder, settings, log, module=_BOT)])
        self._folder.parent.chmod(0o711)  # PostgreSQL runs as another user if this one is root
        server = PostgresServer(self._folder / "postgres")
        server.create()
        stack.callback(server.stop, "immediate")
        server.sql(f"create database bot owner {OWNER}")
        shared = {"DATABASE_URL": server.url("bot"), "SHARD_COUNT": f"{self._processes}"}
        first = int(discord.guilds[0].id) >> 22  # so that Kill ends the process with the page's server
        bots = []
        for number in range(self._processes):
            (folder := self._folder / f"process-{number + 1}").mkdir()
            own = shared | {"SHARD_IDS": f"{(first + number) % self._processes}"}
            bots.append(BotProcess(folder, ChainMap(own, settings), log, module=_BOT))
        return BotProcesses(bots)

    async def _wait(self, discord: LocalDiscord, bot: BotProcesses, is_reset: asyncio.Event) -> None:
        ready = discord.until(lambda: discord.is_online and discord.commands, timeout=_READY_SECONDS)
        await _first(ready, self._interrupted.wait(), bot.wait())
        if not discord.is_online:
            if not self._interrupted.is_set():
                sys.stderr.write((self._folder / "bot.log").read_text("utf-8"))
            return
        if not self._is_announced:
            print(_HINT.format(log=self._folder / "bot.log", address=discord.client_url), flush=True)  # noqa: T201 (output of the command)
        self._is_announced = True
        await _first(self._interrupted.wait(), is_reset.wait())


async def _first(*awaitables: Coroutine[Any, Any, object]) -> None:
    """Wait for the first of them and cancel the others."""
    tasks = [asyncio.create_task(each) for each in awaitables]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def main(*, is_kept: bool, processes: int) -> bool:
    """Run the playground in a temporary folder, or in one that stays; return False if it failed to start."""
    print("Starting the bot, a local Discord and a local RunComfy...", flush=True)  # noqa: T201 (output of the command)
    if is_kept:
        return await _Playground(_KEPT, is_kept=True, processes=1).run()
    with tempfile.TemporaryDirectory(prefix="playground-", ignore_cleanup_errors=True) as folder:
        return await _Playground(Path(folder) / "data", is_kept=False, processes=processes).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m playground", description=__doc__)
    parser.add_argument("--keep", action="store_true", help=f"keep the data in {_KEPT.name} for the next run")
    parser.add_argument(
        "--processes", type=int, default=1, choices=range(1, 5), help="run several on a PostgreSQL server"
    )
    arguments = parser.parse_args()
    if arguments.processes > 1 and (arguments.keep or not find_binaries()):
        parser.error("--keep works with one process only" if arguments.keep else NOT_INSTALLED)
    sys.exit(0 if asyncio.run(main(is_kept=arguments.keep, processes=arguments.processes)) else 1)
