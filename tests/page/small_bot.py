"""A bot that only says and shows: what the page makes of it is what is tested."""

import io
from typing import Any, Literal

import aiohttp
import discord
from discord import app_commands
from discord.app_commands import Choice, Range, locale_str
from PIL import Image

Interaction = discord.Interaction[Any]


def picture(prompt: str, number: int) -> discord.File:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (40 * number, 90, 160)).save(buffer, "PNG")
    buffer.seek(0)
    return discord.File(buffer, f"image{number}.png", description=prompt)


def buttons() -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Re-roll", emoji="🎲", custom_id="again"))
    view.add_item(discord.ui.Button(label="Silent", style=discord.ButtonStyle.danger, custom_id="silent"))
    view.add_item(discord.ui.Button(label="Gone", custom_id="gone", disabled=True))
    view.add_item(discord.ui.Button(label="Docs", url="https://example.com/docs"))
    return view


@app_commands.command(description=locale_str("Make images from words"))
@app_commands.describe(prompt="What to paint", num_images="How many images", aspect_ratio="The shape")
async def imagine(
    interaction: Interaction,
    prompt: str,
    num_images: Range[int, 1, 4] = 1,
    aspect_ratio: Literal["auto", "16:9", "9:16"] = "auto",
    private: bool = False,  # noqa: FBT001, FBT002 - a Discord option
) -> None:
    embed = discord.Embed(
        title=f"{num_images} of {aspect_ratio}", description=prompt, colour=discord.Colour.green()
    )
    embed.add_field(name="Painted", value="<t:1700000000:D>")
    files = [picture(prompt, number) for number in range(num_images)]
    files.append(discord.File(io.BytesIO(prompt.encode()), "prompt.txt"))
    await interaction.response.send_message(
        "Done", embed=embed, files=files, view=buttons(), ephemeral=private
    )


@app_commands.command(description="What you have used")
async def usage(interaction: Interaction) -> None:
    await interaction.response.send_message("4 of 10 images", ephemeral=True)


@app_commands.command(description="Never answers")
async def silence(_: Interaction) -> None: ...


quota = app_commands.Group(
    name="quota", description="Limits", default_permissions=discord.Permissions(manage_guild=True)
)


@quota.command(name="set", description="Set a limit")
@app_commands.choices(per=[Choice(name=name, value=name) for name in ("day", "week", "month")])
async def quota_set(
    interaction: Interaction, limit: int, per: Choice[str], member: discord.User | None = None
) -> None:
    whom = member.mention if member else "everybody"
    await interaction.response.send_message(f"{limit} per {per.value} for {whom}", ephemeral=True)


class Russian(app_commands.Translator):
    async def translate(self, string: locale_str, locale: discord.Locale, context: Any) -> str | None:
        del context
        words = {"Make images from words": "Нарисовать по описанию"}
        return words.get(string.message) if locale is discord.Locale.russian else None


class SmallBot(discord.Client):
    def __init__(self, connector: aiohttp.BaseConnector) -> None:
        super().__init__(intents=discord.Intents(guilds=True), connector=connector)
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        await self.tree.set_translator(Russian())
        self.tree.add_command(imagine)
        self.tree.add_command(usage)
        self.tree.add_command(silence)
        self.tree.add_command(quota)
        await self.tree.sync()

    async def on_interaction(self, interaction: Interaction) -> None:
        if interaction.data and interaction.data.get("custom_id") == "again":
            await interaction.response.send_message(f"Again, {interaction.user.mention}")
