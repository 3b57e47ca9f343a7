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
_PAINTING_SECONDS = 4.0  # long enough to watch, and to press Cancel on the job behind
_HINT = """
The playground is open: {}

  Type /imagine, write what you would like to see, and press Enter.
  Then try Re-roll, order twice and Cancel the second, be mia and use /quota set,
  or kill the bot while it paints and start it again. Ctrl+C closes everything.
"""


async def main() -> None:
    """Start everything, print the address, and wait to be interrupted."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    with tempfile.TemporaryDirectory(prefix="playground-") as folder:
        settings: dict[str, str] = {}
        bot = BotProcess(Path(folder), settings)
        discord = LocalDiscord(Path(folder), page=_PAGE)
        discord.client_app.add_routes(_switches(bot))
        async with LocalRunComfy(workers=1, seconds=_PAINTING_SECONDS) as runcomfy, discord:
            settings |= discord.environment | runcomfy.environment
            await bot.start()
            try:
                ready = asyncio.create_task(
                    discord.until(lambda: discord.is_online and discord.commands, timeout=30)
                )
                stop = asyncio.create_task(stopped.wait())
                ended = asyncio.create_task(bot.ended())
                await asyncio.wait((ready, stop, ended), return_when=asyncio.FIRST_COMPLETED)
                ended.cancel()
                ready.cancel()
                if discord.is_online and not stopped.is_set():
                    print(_HINT.format(discord.client_url), flush=True)  # noqa: T201 (for whoever started it)
                    await stop
                stop.cancel()
            finally:
                await bot.stop()


def _switches(bot: BotProcess) -> list[web.RouteDef]:
    """What the page's buttons call to kill the bot and to start it."""

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
