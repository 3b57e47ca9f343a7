"""/settings: the panel by which a server's managers make its rules."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.error_handler import error_boundary
from bot.discord.requester import require_manager
from bot.discord.responses import respond, send_with_retry
from bot.discord.views.job_buttons import custom_ids
from bot.errors import UserError
from bot.i18n import LazyText
from bot.policy.errors import SettingUnknownError
from cogs.settings.describe import SETTINGS, Section, describe
from cogs.settings.modals import build_modal, submitted_values
from cogs.settings.parse import Changes
from cogs.settings.view import Panel

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot
    from bot.domain.guild_settings import GuildSettings
    from bot.storage.guild_settings import SettingsChange

_WHAT = re.compile(r"settings:([a-z_-]+)(?:\.([\w-]+))?:v1", re.ASCII)


class GuildSettingsPanel(commands.Cog):
    """Shows the panel and does what its components say, whoever sends them: nothing is taken on trust."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot

    @app_commands.command()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def settings(self, interaction: discord.Interaction[Any]) -> None:
        """What holds on this server now, to the manager alone."""
        require_manager(interaction)
        panel = await self._panel(interaction)
        await respond(interaction, embed=panel.embed(), view=panel.view(), ephemeral=True)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Handle a component of the panel or one of its modals; the sender is not trusted."""
        data: dict[str, Any] = {**(interaction.data or {})}
        if str(data.get("custom_id", "")).startswith("settings:"):
            async with error_boundary(interaction):
                await self._act(interaction, data)

    async def _act(self, interaction: discord.Interaction[Any], data: dict[str, Any]) -> None:
        require_manager(interaction)
        match = _WHAT.fullmatch(data["custom_id"])
        if match is None:
            raise SettingUnknownError
        name, key = match[1], match[2] or ""
        if interaction.type is discord.InteractionType.modal_submit:
            values = submitted_values(data)
        elif data["custom_id"] in custom_ids(interaction.message):
            values = [str(each) for each in data.get("values", [])]
        else:
            raise SettingUnknownError
        match name.partition("-"):
            case "edit", _, name:
                await self._open(interaction, name, key)
            case "pick", _, _:
                await self._pick(interaction, name, values)
            case _ if name == "section":
                await self._show(interaction, _section(values))
            case _:
                await self._change(interaction, name, key, values)

    async def _open(self, interaction: discord.Interaction[Any], name: str, key: str) -> None:
        settings = await self._settings(interaction)
        modal = build_modal(name, key, settings, interaction.locale.value)
        if modal is None:
            raise SettingUnknownError
        await send_with_retry(interaction, partial(interaction.response.send_modal, modal))

    async def _pick(self, interaction: discord.Interaction[Any], name: str, values: list[str]) -> None:
        sections = {"pick-channel": Section.SAFETY, "pick-option": Section.DEFAULTS}
        if name not in sections or len(values) != 1:
            raise SettingUnknownError
        await self._show(interaction, sections[name], values[0])

    async def _change(
        self, interaction: discord.Interaction[Any], name: str, key: str, values: list[str]
    ) -> None:
        guild = _guild(interaction)
        section = next((each for each, names in SETTINGS.items() if name in names), None)
        if section is None:
            raise SettingUnknownError
        try:
            # In a thread: forbidden patterns are compiled, which may take half a second.
            changes = Changes(guild, self._bot.catalogue)
            edit = await asyncio.to_thread(changes.edit, name, key, values)
            change = await self._bot.settings_store.update(guild.id, edit, by=interaction.user.id)
        except UserError:
            await self._show(
                interaction, section, key
            )  # else the select would go on showing what was refused
            raise
        self._log(interaction, guild, name, change)  # first, since it holds whether or not Discord shows it
        await self._show(interaction, section, key)

    def _log(
        self, interaction: discord.Interaction[Any], guild: discord.Guild, name: str, change: SettingsChange
    ) -> None:
        if change.after == change.before:
            return
        before, after = (
            LazyText(f"setting-{name}", {"value": describe(each, name)})
            for each in (change.before, change.after)
        )
        who = interaction.user.mention
        self._bot.audit_log.record(
            guild.id, LazyText("log-changed", {"member": who, "before": before, "after": after})
        )

    async def _show(
        self, interaction: discord.Interaction[Any], section: Section, selected: str = ""
    ) -> None:
        panel = await self._panel(interaction, section, selected)
        if interaction.message is None or not interaction.message.flags.ephemeral:
            raise SettingUnknownError  # a panel is nowhere else, and another message is not to become one
        await send_with_retry(
            interaction,
            partial(interaction.response.edit_message, embed=panel.embed(), view=panel.view()),
        )

    async def _panel(
        self, interaction: discord.Interaction[Any], section: Section = Section.CHANNELS, selected: str = ""
    ) -> Panel:
        settings = await self._settings(interaction)
        return Panel(
            settings, _guild(interaction), self._bot.catalogue, interaction.locale.value, section, selected
        )

    async def _settings(self, interaction: discord.Interaction[Any]) -> GuildSettings:
        return await self._bot.settings_store.get(_guild(interaction).id)


def _guild(interaction: discord.Interaction[Any]) -> discord.Guild:
    """The server as the bot knows it, with its channels and roles."""
    guild = interaction.client.get_guild(interaction.guild_id)
    if not isinstance(guild, discord.Guild):
        raise SettingUnknownError
    return guild


def _section(values: list[str]) -> Section:
    if len(values) != 1 or values[0] not in set(Section):
        raise SettingUnknownError
    return Section(values[0])
