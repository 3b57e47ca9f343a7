"""The panel's message: one section, its controls, and the reason why the last change was refused."""

from datetime import datetime
from typing import Any

import discord
from discord import ButtonStyle, ui

from bot.discord.error_handler import error_text
from bot.domain.guild_settings import GuildSettings
from bot.errors import UserError
from bot.i18n import translate
from cogs.settings.controls import Panel, select
from cogs.settings.specs import SECTIONS, SettingSpec

_DEFAULTS = GuildSettings()


def render(
    panel: Panel,
    settings: GuildSettings,
    section: str,
    now: datetime,
    *,
    error: UserError | None = None,
    form: str | None = None,
) -> dict[str, Any]:
    """Return the content of the message.

    `form` is the setting whose form had the error; a button opens it again with the refused text.
    """
    problem = error and translate("settings-refused", panel.locale, problem=error_text(error, panel.locale))
    return {
        "content": problem,
        "embed": _embed(panel, settings, section, now),
        "view": _view(panel, settings, section, form),
    }


def _embed(panel: Panel, settings: GuildSettings, section: str, now: datetime) -> discord.Embed:
    """Return the settings of a section, changed ones in bold; the footer counts those of all sections."""
    lines = []
    for spec in SECTIONS[section]:
        line = spec.describe(settings).translate(panel.locale)
        lines.append(f"**{line}**" if _is_changed(spec, settings) else line)
        if note := spec.note(settings, panel):
            lines.append(note.translate(panel.locale))
    title = translate(f"section-{section}", panel.locale)
    embed = discord.Embed(
        title=translate("settings-title", panel.locale, section=title),
        description="\n".join(lines),
        colour=discord.Colour.blurple(),
    )
    count = sum(_count_changed(each, settings) for each in SECTIONS)
    time = f"{now.astimezone(settings.zone):%H:%M}"
    return embed.set_footer(text=translate("settings-footer", panel.locale, count=count, time=time))


def _view(panel: Panel, settings: GuildSettings, section: str, form: str | None) -> ui.View:
    """Return the select of sections, and the controls of one section."""
    view = ui.View(timeout=None)
    titles = {each: _section_label(panel, settings, each) for each in SECTIONS}
    view.add_item(select(panel, "section", titles, section))
    items: list[ui.Item[Any]] = []
    for spec in SECTIONS[section]:
        items += spec.control.items(panel, spec.name, getattr(settings, spec.name))
    buttons = [item for item in items if isinstance(item, ui.Button)]
    if form:
        buttons = [_reopen_button(panel, form)]
    for item in [item for item in items if not isinstance(item, ui.Button)] + buttons:
        view.add_item(item)
    view.stop()  # discord.py keeps no state: it would not survive a restart
    return view


def _reopen_button(panel: Panel, form: str) -> ui.Button[Any]:
    label, custom_id = translate("button-reopen", panel.locale), f"settings:reopen-{panel.path(form)}:v1"
    return ui.Button(label=label, emoji="✏️", style=ButtonStyle.primary, custom_id=custom_id)


def _section_label(panel: Panel, settings: GuildSettings, section: str) -> str:
    title, count = translate(f"section-{section}", panel.locale), _count_changed(section, settings)
    return translate("changed-section", panel.locale, section=title, count=count) if count else title


def _count_changed(section: str, settings: GuildSettings) -> int:
    return sum(_is_changed(spec, settings) for spec in SECTIONS[section])


def _is_changed(spec: SettingSpec, settings: GuildSettings) -> bool:
    return bool(getattr(settings, spec.name) != getattr(_DEFAULTS, spec.name))
