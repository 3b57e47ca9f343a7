"""A small bot whose messages the page has to render."""

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
    private: bool = False,  # noqa: FBT001, FBT002 (a Discord option)
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


@quota.command(name="grant", description="Give something")
async def quota_grant(
    interaction: Interaction, who: discord.Member | discord.Role, where: discord.TextChannel, amount: int
) -> None:
    await interaction.response.send_message(f"{amount} to {who.mention} in {where.mention}", ephemeral=True)


@quota.command(name="export", description="Everything in a table")
async def quota_export(interaction: Interaction) -> None:
    table = discord.File(io.BytesIO(b"member,images\nbob,3\n"), "usage.csv")
    await interaction.response.send_message("Here", file=table, ephemeral=True)


@app_commands.command(description="An image for you alone, hidden")
async def secret(interaction: Interaction) -> None:
    file = picture("a hidden fox", 1)
    hidden = discord.File(file.fp, "fox.png", description=file.description, spoiler=True)
    await interaction.response.send_message("Hidden", file=hidden, ephemeral=True)


class Words(discord.ui.Modal):
    def __init__(self) -> None:
        super().__init__(title="Forbidden words", custom_id="words")
        self.words = discord.ui.TextInput[Any](
            custom_id="list", style=discord.TextStyle.paragraph, min_length=3, max_length=40, default="cat"
        )
        self.seconds = discord.ui.TextInput[Any](custom_id="seconds", required=False, placeholder="none")
        self.spared = discord.ui.RoleSelect[Any](custom_id="spared", required=False)
        self.add_item(discord.ui.TextDisplay("Nobody may **write** these."))
        self.add_item(discord.ui.Label(text="Words", description="One a line", component=self.words))
        self.add_item(discord.ui.Label(text="Seconds", component=self.seconds))
        self.add_item(discord.ui.Label(text="Not for", component=self.spared))

    async def on_submit(self, interaction: Interaction) -> None:
        spared = ", ".join(role.name for role in self.spared.values)
        said = (
            f"Words: {self.words.value}; {self.seconds.value or 'no'} seconds; not for {spared or 'nobody'}"
        )
        await interaction.response.edit_message(content=said)


class Panel(discord.ui.View):
    """A select that writes its values into its message."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.select(
        placeholder="Sizes",
        custom_id="sizes",
        min_values=0,
        max_values=2,
        options=[discord.SelectOption(label=f"{n}K", description=f"{n * 1024} pixels") for n in (1, 2, 4)],
    )
    async def sizes(self, interaction: Interaction, select: discord.ui.Select[Any]) -> None:
        chosen = select.values
        for option in select.options:
            option.default = option.value in chosen
        await interaction.response.edit_message(content=f"Sizes: {', '.join(chosen) or 'none'}", view=self)

    @discord.ui.select(
        cls=discord.ui.ChannelSelect,
        placeholder="Log",
        custom_id="log",
        channel_types=[discord.ChannelType.text],
    )
    async def log(self, interaction: Interaction, select: discord.ui.ChannelSelect[Any]) -> None:
        channel = select.values[0].resolve()
        assert isinstance(channel, discord.TextChannel)
        await channel.send("Here is the log")
        await interaction.response.edit_message(content=f"Log: {channel.mention}")

    @discord.ui.select(cls=discord.ui.MentionableSelect, placeholder="Who", custom_id="who", max_values=3)
    async def who(self, interaction: Interaction, select: discord.ui.MentionableSelect[Any]) -> None:
        who = " ".join(each.mention for each in select.values)
        await interaction.response.edit_message(content=f"Who: {who}")

    @discord.ui.button(label="Words", custom_id="words")
    async def words(self, interaction: Interaction, _: discord.ui.Button[Any]) -> None:
        await interaction.response.send_modal(Words())


@app_commands.command(description="Rules of this server")
@app_commands.default_permissions(manage_guild=True)
async def settings(interaction: Interaction) -> None:
    await interaction.response.send_message("Settings", view=Panel(), ephemeral=True)


@app_commands.context_menu(name=locale_str("Who made this"))
async def who_made_this(interaction: Interaction, message: discord.Message) -> None:
    name = message.interaction_metadata.user.mention if message.interaction_metadata else "nobody"
    await interaction.response.send_message(f"{name} made this", ephemeral=True)


@app_commands.context_menu(name=locale_str("Remove image"))
@app_commands.default_permissions(manage_messages=True)
async def remove_image(interaction: Interaction, message: discord.Message) -> None:
    await interaction.response.send_message("Removed", ephemeral=True)
    await message.delete()


class Russian(app_commands.Translator):
    async def translate(self, string: locale_str, locale: discord.Locale, context: Any) -> str | None:
        del context
        words = {"Make images from words": "Нарисовать по описанию", "Who made this": "Чьё это"}
        return words.get(string.message) if locale is discord.Locale.russian else None


class SmallBot(discord.Client):
    commands: tuple[Any, ...] = (
        imagine,
        usage,
        silence,
        quota,
        secret,
        settings,
        who_made_this,
        remove_image,
    )

    def __init__(self, connector: aiohttp.BaseConnector) -> None:
        super().__init__(intents=discord.Intents(guilds=True), connector=connector)
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        await self.tree.set_translator(Russian())
        for command in self.commands:
            self.tree.add_command(command)
        await self.tree.sync()

    async def on_interaction(self, interaction: Interaction) -> None:
        if interaction.data and interaction.data.get("custom_id") == "again":
            await interaction.response.send_message(f"Again, {interaction.user.mention}")
