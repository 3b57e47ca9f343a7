"""/help: what a member can do on this server, credits, commands, and what is stored."""

from discord import AppCommandType, Permissions, app_commands
from discord.ext import commands

from bot.discord.client import ImagineBot, Interaction
from bot.discord.requester import get_requester
from bot.discord.responses import respond
from bot.discord.views.quota_text import limit_lines, price_lines, text_embed
from bot.domain.guild_settings import GuildSettings
from bot.domain.requester import Requester
from bot.i18n import translate
from cogs.help.allowed import allowed_lines


class HelpCommand(commands.Cog):
    """Explains the bot to a member, as it is set up on this server."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot

    @app_commands.command()
    async def help(self, interaction: Interaction) -> None:
        """Show what the member can do here, prices, commands, and what is stored."""
        asker, locale = get_requester(interaction), interaction.locale.value
        settings = await self._bot.settings_store.get(asker.guild_id)
        prices = price_lines(self._bot.catalogue, locale)
        sections = {
            translate("help-here", locale): allowed_lines(interaction, asker, settings),
            translate("help-limits", locale): await self._limits(asker, settings),
            translate("help-credits", locale): [translate("help-credits-explained", locale), *prices],
            translate("help-commands", locale): await self._commands(interaction),
            translate("help-buttons", locale): [translate("help-buttons-explained", locale)],
            translate("help-data", locale): [translate("help-data-explained", locale)],
        }
        texts = ("\n".join([f"**{title}**", *lines]) for title, lines in sections.items())
        await respond(interaction, embed=text_embed(["\n\n".join(texts)]), ephemeral=True)

    async def _limits(self, asker: Requester, settings: GuildSettings) -> list[str]:
        quotas, guild_id = self._bot.quota_store, asker.guild_id
        limits = await quotas.limits(guild_id, asker.user_id, asker.role_ids, settings.zone)
        own = await quotas.usage(guild_id, asker.user_id, limits)
        return limit_lines(limits, own, await quotas.usage(guild_id, None, limits), asker.locale)

    async def _commands(self, interaction: Interaction) -> list[str]:
        """Return a line per command that the member can use, and one each for message and member menus."""
        tree, permissions, locale = self._bot.tree, interaction.permissions, interaction.locale.value
        translator = tree.translator or app_commands.Translator()
        lines, message_menus, member_menus = list[str](), list[str](), list[str]()
        for command in tree.get_commands():
            needed = command.default_permissions or Permissions.none()
            if command.qualified_name in self._bot.catalogue.hidden_commands:
                continue
            if command is interaction.command or not (permissions.administrator or permissions >= needed):
                continue
            payload = await command.get_translated_payload(tree, translator)
            if isinstance(command, app_commands.ContextMenu):
                menus = member_menus if command.type is AppCommandType.user else message_menus
                menus.append(payload["name_localizations"].get(locale, command.name))
                continue
            # Discord shows no link for a group.
            is_group = isinstance(command, app_commands.Group)
            name = f"/{command.name}" if is_group else self._bot.command_sync.mention(command.name)
            description = payload["description_localizations"].get(locale, command.description)
            lines.append(f"{name} · {description}")
        lines.append(translate("help-menus", locale, menus=", ".join(message_menus)))
        if member_menus:
            lines.append(translate("help-member-menus", locale, menus=", ".join(member_menus)))
        return lines
