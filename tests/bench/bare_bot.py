"""`python -m tests.bench.bare_bot`: a minimal bot without a database, the baseline of the benchmarks.

discord.py, aiohttp, one task per job, and a poll every two seconds or every POLL_SECONDS.
"""

from __future__ import annotations

import asyncio
import io
import os
from typing import Any

import aiohttp
import discord
from discord import app_commands

_MODEL = "google/nano-banana-2/text-to-image"
_POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "2"))


class BareBot(discord.Client):
    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), proxy=os.environ["DISCORD_PROXY"])
        self.tree = app_commands.CommandTree(self)
        self._jobs: set[asyncio.Task[None]] = set()

    async def setup_hook(self) -> None:
        self._runcomfy = aiohttp.ClientSession(
            os.environ["RUNCOMFY_API_URL"],
            headers={"Authorization": f"Bearer {os.environ['RUNCOMFY_TOKEN']}"},
        )
        self._files = aiohttp.ClientSession()
        self.tree.add_command(
            app_commands.Command(name="imagine", description="Generate", callback=self.imagine)
        )
        await self.tree.sync()

    async def imagine(
        self,
        interaction: discord.Interaction[Any],
        prompt: str,
        num_images: int | None = None,
        resolution: str | None = None,
    ) -> None:
        await interaction.response.send_message(embed=discord.Embed(title="Generating", description=prompt))
        body = {"prompt": prompt, "num_images": num_images or 1, "resolution": resolution or "1K"}
        job = asyncio.create_task(self._run(interaction, body))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _run(self, interaction: discord.Interaction[Any], body: dict[str, Any]) -> None:
        async with self._runcomfy.post(f"/v1/models/{_MODEL}", json=body) as response:
            request_id = (await response.json())["request_id"]
        while (await self._ask(f"/v1/requests/{request_id}/status"))["status"] != "completed":  # noqa: ASYNC110 (RunComfy has no event)
            await asyncio.sleep(_POLL_SECONDS)
        result = await self._ask(f"/v1/requests/{request_id}/result")
        files = []
        for number, url in enumerate(result["output"]["images"], 1):
            async with self._files.get(url) as response:
                files.append(discord.File(io.BytesIO(await response.read()), f"image-{number}.png"))
        embed = discord.Embed(title="Here it is", description=body["prompt"])
        await interaction.edit_original_response(embed=embed, attachments=files)

    async def _ask(self, path: str) -> dict[str, Any]:
        async with self._runcomfy.get(path) as response:
            answer: dict[str, Any] = await response.json()
            return answer


if __name__ == "__main__":
    BareBot().run(os.environ["DISCORD_TOKEN"])
