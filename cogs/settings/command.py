"""/settings: the panel in which managers configure the bot for their server."""

import asyncio
import re
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.client import ImagineBot, Interaction
from bot.discord.error_handler import error_boundary
from bot.discord.requester import require_manager
from bot.discord.responses import respond, send_with_retry
from bot.discord.views.components import walk_components
from bot.discord.views.job_buttons import custom_ids
from bot.errors import PolicyError, UserError
from bot.i18n import LazyText
from cogs.settings.controls import FIELD, DefaultOptionSelect, Panel, TextModal
from cogs.settings.rendering import render
from cogs.settings.specs import SECTIONS, SPECS, SettingSpec

_CUSTOM_ID = re.compile(r"settings:(?:(edit|reopen|pick)-)?([a-z_]+)(?:\.([\w./-]+))?:v1", re.ASCII)
_PICKERS = {"channel": "safety", "model": "models", "option": "defaults"}
_DRAFTS_MAX = 500  # of at most 4000 characters


class GuildSettingsPanel(commands.Cog):
    """Shows the panel and applies what its components and modals send."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot
        self._drafts: OrderedDict[int, str] = OrderedDict()
        """The text of the last refused form by the panel's message; a restart loses it."""

    @app_commands.command()
    @app_commands.default_permissions(manage_guild=True)
    async def settings(self, interaction: Interaction) -> None:
        """Show the server's settings to a manager."""
        require_manager(interaction)
        content = await self._content(next(iter(SECTIONS)), self._panel(interaction))
        await respond(interaction, **content, ephemeral=True)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """Handle a component or a modal of the panel. The sender and all values can be forged."""
        data: dict[str, Any] = {**(interaction.data or {})}
        if str(data.get("custom_id", "")).startswith("settings:"):
            async with error_boundary(interaction):
                await self._handle(interaction, data)

    async def _handle(self, interaction: Interaction, data: dict[str, Any]) -> None:
        require_manager(interaction)
        match, message = _CUSTOM_ID.fullmatch(data["custom_id"]), interaction.message
        # The panel is always ephemeral; no other message becomes one.
        is_panel = message is not None and message.flags.ephemeral
        if match is None or not is_panel or not (_is_form(interaction) or match[0] in custom_ids(message)):
            raise PolicyError("setting-unknown")
        action, name, key = match[1], match[2], match[3] or ""
        values = (
            _form_values(data) if _is_form(interaction) else [str(each) for each in data.get("values", [])]
        )
        panel, (value, *others) = self._panel(interaction, key), values or [""]
        if name in _PICKERS and action == "pick" and value and not others:
            picked = replace(panel, key=value)
            unknown = PolicyError("not-a-channel") if name == "channel" and picked.channel is None else None
            await self._show(interaction, _PICKERS[name], picked, error=unknown)
        elif action is None and name == "section" and value in SECTIONS and not others:
            await self._show(interaction, value, panel)
        elif name not in SPECS or action == "pick":
            raise PolicyError("setting-unknown")
        elif action == "reopen" and panel.message_id not in self._drafts:
            await self._show(interaction, SPECS[name].section, panel, error=PolicyError("draft-lost"))
        elif action is not None:
            draft = self._drafts.get(panel.message_id) if action == "reopen" else None
            await self._open(interaction, SPECS[name], panel, draft)
        else:
            await self._change(interaction, SPECS[name], panel, values)

    async def _open(
        self, interaction: Interaction, spec: SettingSpec, panel: Panel, draft: str | None
    ) -> None:
        if not isinstance(spec.control, TextModal | DefaultOptionSelect):
            raise PolicyError("setting-unknown")
        settings = await self._bot.settings_store.get(panel.guild.id)
        modal = spec.control.modal(panel, spec.name, getattr(settings, spec.name), draft)
        await send_with_retry(interaction, partial(interaction.response.send_modal, modal))

    async def _change(
        self, interaction: Interaction, spec: SettingSpec, panel: Panel, values: list[str]
    ) -> None:
        guild_id, user = panel.guild.id, interaction.user
        try:
            # In a thread: compiling forbidden patterns can take half a second.
            edit = await asyncio.to_thread(spec.edit, panel, values)
            change = await self._bot.settings_store.update(guild_id, edit, by=user.id)
        except UserError as error:
            form = spec.name if _is_form(interaction) else None
            if form:
                self._keep_draft(panel, values)
            await self._show(interaction, spec.section, panel, error=error, form=form)
            return
        if change.after != change.before:  # logged first: it is stored even if Discord does not show it
            after = spec.control.describe(getattr(change.after, spec.name))
            text = LazyText(
                "log-changed",
                {"member": user.mention, "before": spec.describe(change.before), "after": after},
            )
            self._bot.audit_log.record(guild_id, text)
        await self._show(interaction, spec.section, panel)

    def _keep_draft(self, panel: Panel, values: list[str]) -> None:
        self._drafts[panel.message_id] = "".join(values)
        while len(self._drafts) > _DRAFTS_MAX:
            self._drafts.popitem(last=False)

    async def _show(self, interaction: Interaction, section: str, panel: Panel, **problem: Any) -> None:
        content = await self._content(section, panel, **problem)
        await send_with_retry(interaction, partial(interaction.response.edit_message, **content))

    async def _content(self, section: str, panel: Panel, **problem: Any) -> dict[str, Any]:
        settings = await self._bot.settings_store.get(panel.guild.id)
        return render(panel, settings, section, self._bot.clock.host.now(), **problem)

    def _panel(self, interaction: Interaction, key: str = "") -> Panel:
        guild = self._bot.get_guild(interaction.guild_id or 0)  # has its channels and roles
        if guild is None:
            raise PolicyError("setting-unknown")
        message_id = interaction.message.id if interaction.message else 0
        return Panel(guild, self._bot.catalogue, interaction.locale.value, key, message_id)


def _is_form(interaction: Interaction) -> bool:
    return interaction.type is discord.InteractionType.modal_submit


def _form_values(data: dict[str, Any]) -> list[str]:
    return [str(each.get("value") or "") for each in walk_components(data) if each.get("custom_id") == FIELD]
