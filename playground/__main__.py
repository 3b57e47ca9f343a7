"""`python -m playground`: a local Discord, a local RunComfy, the bot and a page, until Ctrl+C."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from pathlib import Path

from aiohttp import web

from playground.discord import LocalDiscord
from playground.process import BotProcess
from playground.runcomfy import LocalRunComfy

_PAGE = Path(__file__).parent / "page"
_GENERATION_SECONDS = 4.0  # long enough to watch, and to cancel the job behind
_READY_SECONDS = 30
_HINT = """
The playground is open: {}

  Type /imagine, write what you would like to see, and press Enter.
  Then try Re-roll, start two and cancel the second, be mia and use /quota set,
  or kill the bot while it works and start it again. Ctrl+C closes everything.
"""


async def main() -> None:
    """Start everything, print the address, and run until interrupted or until the bot fails to start."""
    interrupted = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    with tempfile.TemporaryDirectory(prefix="playground-") as folder:
        settings: dict[str, str] = {}
        bot = BotProcess(Path(folder), settings)
        discord = LocalDiscord(Path(folder), page=_PAGE)
        discord.client_app.add_routes(_switch_routes(bot))
        async with LocalRunComfy(workers=1, seconds=_GENERATION_SECONDS) as runcomfy, discord:
            settings |= discord.environment | runcomfy.environment
            await bot.start()
            try:
                await _run(discord, bot, interrupted)
            finally:
                await bot.stop()


async def _run(discord: LocalDiscord, bot: BotProcess, interrupted: asyncio.Event) -> None:
    ready = discord.until(lambda: discord.is_online and discord.commands, timeout=_READY_SECONDS)
    tasks = [asyncio.create_task(each) for each in (ready, interrupted.wait(), bot.wait())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    if discord.is_online and not interrupted.is_set():
        print(_HINT.format(discord.client_url), flush=True)  # noqa: T201 (output of the command)
        await interrupted.wait()


def _switch_routes(bot: BotProcess) -> list[web.RouteDef]:
    """Return the routes by which the page kills and starts the bot."""

    async def state(_: web.Request) -> web.Response:
        return web.json_response({"running": bot.is_running})

    async def kill(request: web.Request) -> web.Response:
        await bot.kill()
        return await state(request)

    async def start(request: web.Request) -> web.Response:
        await bot.start()
        return await state(request)

    return [
        web.get("/playground/state", state),
        web.post("/playground/kill", kill),
        web.post("/playground/start", start),
    ]


if __name__ == "__main__":
    asyncio.run(main())
