"""What Info shows about a job."""

from collections.abc import Sequence

import discord

from bot.discord.markdown import blockquote, escape, timestamp, truncate
from bot.discord.views import job_embed
from bot.discord.views.originals import originals_text
from bot.domain.job import Job, JobStatus, OptionValue
from bot.i18n import LazyText, translate
from bot.media.kept import Original
from bot.models.catalogue import Catalogue
from bot.models.model import Model

_WIDE = {"options", "model"}
_FIELD = 1024  # Discord's limit for a field's value
_VALUE = 100
_MINUTES_FROM = 120  # seconds


def info_embed(
    job: Job, parent: Job | None, catalogue: Catalogue, originals: Sequence[Original], *, has_prompt: bool
) -> discord.Embed:
    """Return everything about a job in its locale; without `has_prompt`, nothing that its member typed."""
    made = {"member": f"<@{job.user_id}>", "when": timestamp(job.created_at, "f")}
    prompt = job_embed.prompt(job) if has_prompt else translate("about-prompt-hidden", job.locale)
    lines = [f"**{translate('about-made', job.locale, **made)}**", blockquote(prompt)]
    if job.deleted_at:
        deleted = {"member": f"<@{job.deleted_by}>", "when": timestamp(job.deleted_at)}
        lines.append(translate("about-deleted", job.locale, **deleted))
    embed = discord.Embed(description="\n".join(lines), colour=discord.Colour.blurple())
    fields = {
        "options": _options(job, catalogue.known.get(job.model_id), has_text=has_prompt),
        "model": escape(job.model_id),
        "cost": _cost(job),
        "time": _time(job),
        "pictures": str(len(job.input_files)) if job.input_files else "",
        "originals": originals_text(originals, job.locale) if originals or _has_images(job) else "",
        "parent": _parent(job, parent),
    }
    for name, value in fields.items():
        if value:
            title = translate(f"info-{name}", job.locale)
            embed.add_field(name=title, value=truncate(value, _FIELD), inline=name not in _WIDE)
    return embed


def _has_images(job: Job) -> bool:
    return job.status is JobStatus.SUCCEEDED and job.deleted_at is None


def _options(job: Job, model: Model | None, *, has_text: bool) -> str:
    shown = [
        _option(model, name, value, job.locale)
        for name, value in job.input.items()
        if name != job.text_option and (has_text or not _is_text(model, name))
    ]
    return " · ".join(shown)


def _is_text(model: Model | None, name: str) -> bool:
    option = model.schema.options.get(name) if model else None
    return option is None or (option.type == "string" and not option.choices)


def _option(model: Model | None, name: str, value: OptionValue, locale: str) -> str:
    if model is None or name not in model.schema.options:
        return escape(truncate(f"{name}: {value}", _VALUE))
    text = job_embed.option(model, name, value, locale)
    if not isinstance(value, str):
        return text
    return translate("option-value", locale, option=escape(model.title(name, locale)), value=text)


def _cost(job: Job) -> str:
    if not job.refunded:
        return translate("cost", job.locale, credits=job.credits)
    returned = job.refunded * job.credits_each
    return translate("cost-refunded", job.locale, credits=job.credits, returned=returned)


def _time(job: Job) -> str:
    """Return how long the job took, in the parts that are known."""
    if job.ended_at is None:
        return ""
    if job.is_collected:
        return translate("status-collected", job.locale)
    total = _duration(job.ended_at.timestamp() - job.created_at.timestamp())
    if job.started_at is None:
        return total.translate(job.locale)
    queued = _duration(job.started_at.timestamp() - job.created_at.timestamp())
    generating = _duration(job.ended_at.timestamp() - job.started_at.timestamp())
    return translate("info-times", job.locale, queued=queued, generating=generating, total=total)


def _duration(seconds: float) -> LazyText:
    rounded = max(round(seconds), 0)  # the clock can have been set meanwhile
    if rounded < _MINUTES_FROM:
        return LazyText("roughly-seconds", {"count": rounded})
    return LazyText("roughly-minutes", {"count": round(rounded / 60)})


def _parent(job: Job, parent: Job | None) -> str:
    if parent is None:
        return ""
    if parent.message_id is None:
        return translate("info-parent-gone", job.locale)
    return translate("info-parent-link", job.locale, link=job_embed.link(parent))
