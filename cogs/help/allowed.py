"""What a server's rules allow a member in a channel, in words."""

from bot.discord.client import Interaction
from bot.discord.requester import require_post_permissions
from bot.discord.views.quota_text import model_lines
from bot.domain.guild_settings import GuildSettings
from bot.domain.requester import Requester
from bot.errors import PolicyError
from bot.i18n import translate
from bot.models.catalogue import Model
from bot.models.discord_limits import MAX_CHOICES
from bot.models.schema import IMAGE_COUNT_OPTIONS
from bot.policy.rules import RESOLUTION, allowed_values, check_access, check_model

_CHANNELS_SHOWN = 10


def allowed_lines(interaction: Interaction, asker: Requester, settings: GuildSettings) -> list[str]:
    """Return why the member can't generate images in this channel, if so, and what the rules allow."""
    locale, lines = asker.locale, list[str]()
    try:
        require_post_permissions(interaction)
        check_access(settings, asker)
    except PolicyError as refusal:
        lines.append(translate(refusal.key, locale, **refusal.values))
    lines.append(_channels(settings, locale))
    models = interaction.client.catalogue.offered.values()
    usable = [model for model in models if _may_use(model, asker, settings)]
    lines += model_lines((model, _allowed_by(model, asker, settings)) for model in usable)
    if settings.forbidden_words:
        lines.append(translate("help-words", locale))
    if settings.is_private:
        lines.append(translate("help-private", locale))
    return lines


def _may_use(model: Model, asker: Requester, settings: GuildSettings) -> bool:
    needs_pictures = any(file.required for file in model.schema.files.values())
    try:
        check_model(settings, asker, model, has_pictures=needs_pictures)
    except PolicyError:
        return False
    return True


def _channels(settings: GuildSettings, locale: str) -> str:
    if settings.allowed_channels:
        allowed = settings.allowed_channels - settings.forbidden_channels
        shown = _mentions(allowed) or translate("value-none", locale)
        return translate("help-channels", locale, channels=shown)
    if settings.forbidden_channels:
        return translate("help-channels-except", locale, channels=_mentions(settings.forbidden_channels))
    return translate("help-channels-all", locale)


def _mentions(channel_ids: frozenset[int]) -> str:
    shown = [f"<#{each}>" for each in sorted(channel_ids)[:_CHANNELS_SHOWN]]
    return ", ".join(shown + ["…"] * (len(channel_ids) > _CHANNELS_SHOWN))


def _allowed_by(model: Model, asker: Requester, settings: GuildSettings) -> str:
    """Return the most images, the highest resolution, and what the rules restrict."""
    locale, parts = asker.locale, list[str]()
    for name, option in model.schema.options.items():
        values = allowed_values(settings, asker, option)
        if not values:
            continue
        if name in IMAGE_COUNT_OPTIONS:
            parts.append(translate("help-images", locale, count=int(values[-1])))
        elif name == RESOLUTION:
            parts.append(translate("help-resolution", locale, highest=str(values[-1])))
        elif values == [False]:
            parts.append(translate("option-off", locale, option=model.title(name, locale)))
        elif len(values) < len(option.listed(MAX_CHOICES)):
            allowed = ", ".join(map(str, values))
            parts.append(translate("option-value", locale, option=model.title(name, locale), value=allowed))
    return " · ".join(parts)
