"""A bot with selects, modals and context menus, as discord.py sends them."""

from __future__ import annotations

import io
from typing import Any

import discord
from discord import app_commands, ui

from tests.playground.conftest import PNG, Bot

Interaction = discord.Interaction[Any]


def words(values: list[Any]) -> str:
    """Return the selected values as the bot sees them."""
    return ", ".join(
        each if isinstance(each, str) else f"{type(each).__name__} {each.name}" for each in values
    )


class Said(ui.Select[Any]):
    async def callback(self, interaction: Interaction) -> None:
        await interaction.response.edit_message(content=f"sizes: {words(self.values)}")


class Users(ui.UserSelect[Any]):
    async def callback(self, interaction: Interaction) -> None:
        await interaction.response.send_message(f"users: {words(self.values)}", ephemeral=True)


class Roles(ui.RoleSelect[Any]):
    async def callback(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content=f"roles: {words(self.values)}")


class Anybody(ui.MentionableSelect[Any]):
    async def callback(self, interaction: Interaction) -> None:
        await interaction.response.edit_message(content=f"anybody: {words(self.values)}")


class Channels(ui.ChannelSelect[Any]):
    async def callback(self, interaction: Interaction) -> None:
        await interaction.response.send_modal(Form())


def panel(guild: discord.Guild) -> ui.View:
    sizes = [discord.SelectOption(label=f"Size {n}", value=f"{n}K", default=n == 1) for n in (1, 2, 4)]
    here = [discord.SelectDefaultValue.from_channel(guild.text_channels[0])]
    view = ui.View(timeout=None)
    view.add_item(Said(custom_id="sizes", placeholder="Sizes", options=sizes, min_values=0, max_values=2))
    view.add_item(Users(custom_id="users"))
    view.add_item(Roles(custom_id="roles", max_values=2, disabled=False))
    view.add_item(Anybody(custom_id="anybody", max_values=3))
    kinds = [discord.ChannelType.text]
    view.add_item(Channels(custom_id="where", channel_types=kinds, default_values=here, max_values=25))
    return view


class Form(ui.Modal):
    def __init__(self) -> None:
        super().__init__(title="Rules", custom_id="rules")
        one = [discord.SelectOption(label="One", value="1K")]
        self.words = ui.TextInput[Any](custom_id="words", min_length=2, max_length=9, default="none")
        self.size = ui.Select[Any](custom_id="size", options=one, required=False)
        self.role = ui.RoleSelect[Any](custom_id="role", required=True)
        self.place = ui.ChannelSelect[Any](custom_id="place", required=False, max_values=2)
        self.add_item(ui.TextDisplay("What holds here"))
        self.add_item(ui.Label(text="Words", description="One a line", component=self.words))
        for name, item in (("Size", self.size), ("Role", self.role), ("Where", self.place)):
            self.add_item(ui.Label(text=name, component=item))

    async def on_submit(self, interaction: Interaction) -> None:
        lists: list[Any] = [self.size.values, self.role.values, self.place.values]
        said = "; ".join([self.words.value, *map(words, lists)])
        if interaction.message is None:
            await interaction.response.send_message(said, ephemeral=True)
        else:
            await interaction.response.edit_message(content=said, view=None)


@app_commands.command(description="Choose")
async def choose(interaction: Interaction) -> None:
    assert interaction.guild is not None
    await interaction.response.send_message("Choose", view=panel(interaction.guild), ephemeral=True)


@app_commands.command(description="Fill in")
async def fill(interaction: Interaction) -> None:
    await interaction.response.send_modal(Form())


@app_commands.command(description="Every kind of option")
async def give(  # noqa: PLR0917 (discord.py calls it by keyword)
    interaction: Interaction,
    who: discord.Member,
    role: discord.Role,
    either: discord.Member | discord.Role,
    where: discord.TextChannel,
    amount: app_commands.Range[float, 0, 10] = 1.5,
) -> None:
    said = words([who, role, either, where])
    await interaction.response.send_message(f"{said}, {amount}")


@app_commands.context_menu(name="Who made this")
async def who(interaction: Interaction, message: discord.Message) -> None:
    text = f"{message.id} says {message.content!r} with {len(message.attachments)} files"
    await interaction.response.send_message(text, ephemeral=True)


@app_commands.context_menu(name="Remove")
@app_commands.default_permissions(manage_messages=True)
async def remove(interaction: Interaction, message: discord.Message) -> None:
    await message.delete()
    log = discord.utils.get(interaction.guild.text_channels if interaction.guild else [], name="bot-log")
    assert log is not None
    await log.send(f"removed {message.id}", file=discord.File(io.BytesIO(b"a,b"), "log.csv"))
    await interaction.response.send_message("Removed", ephemeral=True)


@app_commands.context_menu(name="Greet")
async def greet(interaction: Interaction, member: discord.Member) -> None:
    hidden = discord.File(io.BytesIO(PNG), "fox.png", spoiler=True)
    await interaction.response.send_message(f"Hello {member.name}", file=hidden, ephemeral=True)


class PanelBot(Bot):
    async def setup_hook(self) -> None:
        commands: tuple[Any, ...] = (choose, fill, give, who, remove, greet)
        for command in commands:
            self.tree.add_command(command)
        await super().setup_hook()
