"""The panel of /settings, built from the settings' specifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.i18n import translate
from cogs.settings.controls import select
from cogs.settings.specs import SECTIONS, SPECS

if TYPE_CHECKING:
    from bot.domain.guild_settings import GuildSettings
    from cogs.settings.controls import Panel


def build_embed(panel: Panel, settings: GuildSettings) -> discord.Embed:
    """Return all settings, section by section."""
    embed = discord.Embed(title=translate("settings-title", panel.locale), colour=discord.Colour.blurple())
    for section in SECTIONS:
        lines = []
        for spec in (spec for spec in SPECS.values() if spec.section == section):
            value = spec.control.describe(getattr(settings, spec.name))
            lines.append(translate(f"setting-{spec.name}", panel.locale, value=value))
        title = translate(f"section-{section}", panel.locale)
        embed.add_field(name=title, value="\n".join(lines), inline=False)
    return embed


def build_view(panel: Panel, settings: GuildSettings, section: str) -> ui.View:
    """Return the select of sections, and the controls of one section."""
    view = ui.View(timeout=None)
    titles = {each: translate(f"section-{each}", panel.locale) for each in SECTIONS}
    view.add_item(select(panel, "section", titles, section))
    items = [
        item
        for spec in SPECS.values()
        if spec.section == section
        for item in spec.control.items(panel, spec.name, getattr(settings, spec.name))
    ]
    for item in sorted(items, key=lambda item: isinstance(item, ui.Button)):  # buttons last
        view.add_item(item)
    view.stop()  # discord.py keeps no state: it would not survive a restart
    return view
