"""Render a job in its requester's language: embeds, list line, link, alt texts and file names."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import discord

from bot.discord.markdown import (
    PROMPT_SHOWN,
    blockquote,
    bold,
    escape,
    timestamp,
    truncate,
    with_timestamps,
)
from bot.discord.views.originals import megabytes
from bot.domain.job import NOT_COLLECTED, Job, JobStatus
from bot.errors import GenerationFailedError, OperatorError, PromptRefusedError, UnexpectedError
from bot.i18n import LazyText, translate, with_decimal_mark
from bot.jobs.ports import Progress
from bot.policy.rules import RESOLUTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.discord.job_message import PostedFile
    from bot.media.images import FittedImage, WebpCopy
    from bot.models.catalogue import Catalogue, Model

PROMPT_FILE = "prompt.txt"
"""The file with all of a prompt that its message shortens."""
BEFORE_FILE = "before.webp"
"""The picture that a job's images were made from; without a number, so that it is never taken for one."""
_ALT_TEXT = 1024  # Discord's limit for a file's description
_SLUG = 40
_OPTION_SHOWN = 100
_PROMPT_LISTED = 60
_TROUBLE_HERE = {OperatorError.key, UnexpectedError.key}
_COLOURS = {
    JobStatus.IN_PROGRESS: discord.Colour.gold(),
    JobStatus.SUCCEEDED: discord.Colour.green(),
    JobStatus.FAILED: discord.Colour.red(),
    JobStatus.CANCELLED: discord.Colour.light_grey(),
}


def embed(
    job: Job,
    catalogue: Catalogue,
    progress: Progress | None = None,
    *,
    fitted: Sequence[FittedImage] = (),
) -> discord.Embed:
    """Return a job's status, prompt, options and requester, with notes about its images as a footer.

    Of finished images the prompt comes first, and the rest is one small line.
    """
    progress = progress or Progress()
    delivered = len(fitted) or job.delivered
    by = [translate("requested-by", job.locale, member=f"<@{job.user_id}>")]
    if job.origin:
        origin = f"https://discord.com/channels/{job.guild_id}/{job.origin}"
        by.append(translate("origin", job.locale, link=origin))
    if job.status is JobStatus.SUCCEEDED:
        details = " · ".join([*_main_options(job, catalogue), _took(job), *_seed(job), *by])
        lines = [bold(prompt(job)), f"-# ✅ {details}"]
    else:
        details = " · ".join([*options(job, catalogue), *_cost(job), *by])
        lines = [_status(job, progress), bold(prompt(job)), details]
    colour = _COLOURS.get(job.status, discord.Colour.blurple())
    shown = discord.Embed(description="\n".join(lines), colour=colour)
    if notes := _notes(job, fitted, delivered):
        shown.set_footer(text="\n".join(notes))
    return shown


def _cost(job: Job) -> list[str]:
    """Return what a job that waits will cost, and what its member's limits then leave."""
    if job.status.is_final or job.status is JobStatus.IN_PROGRESS:
        return []
    parts = [translate("cost", job.locale, credits=job.credits)]
    if job.credits_left is not None and job.credits_left_per is not None:
        left, per = job.credits_left, job.credits_left_per
        parts.append(translate("credits-left", job.locale, left=left, per=per))
    return parts


def with_images(embed: discord.Embed, files: Sequence[discord.File | PostedFile]) -> list[discord.Embed]:
    """Return the embed with the first of the images, and an embed for each of the others.

    Discord crops several images beside each other, but never one in an embed. The picture that they were made
    from comes first, with its description as its text.
    """
    colour = embed.colour
    before = [
        _with_image(discord.Embed(description=f"-# {file.description}", colour=colour), file)
        for file in files
        if file.filename == BEFORE_FILE
    ]
    images = [file for file in files if file.filename not in {PROMPT_FILE, BEFORE_FILE}]
    shown = [
        _with_image(discord.Embed(colour=colour) if number else embed, file)
        for number, file in enumerate(images)
    ]
    return [*before, *(shown or [embed])]


def _with_image(embed: discord.Embed, file: discord.File | PostedFile) -> discord.Embed:
    # discord.py's `set_image` takes no description.
    image = {"url": f"attachment://{file.filename}", "description": file.description}
    return discord.Embed.from_dict({**embed.to_dict(), "image": image})


def with_hidden_prompt(job: Job) -> Job:
    """Return the job with a placeholder for a prompt that the server's AutoMod refuses."""
    hidden = translate("prompt-hidden", job.locale)
    return replace(job, preset=None, input={**job.input, job.text_option: hidden})


def is_prompt_hidden(job: Job) -> bool:
    """Return whether the job's prompt is the placeholder; see `with_hidden_prompt`."""
    return prompt(job) == translate("prompt-hidden", job.locale)


def list_line(number: int, job: Job, place: int = 0) -> str:
    """Return a job as a line of a list: state, place in the queue, prompt, and a link to its message."""
    state = "generating" if job.status is JobStatus.IN_PROGRESS else "waiting"
    state = "uncollected" if job.is_fetchable else state
    return translate(
        f"jobs-{state}",
        job.locale,
        number=number,
        place=place,
        prompt=escape(truncate(prompt(job), _PROMPT_LISTED)),
        when=timestamp(job.created_at),
        link=link(job),
    )


def link(job: Job) -> str:
    """Return the URL of a job's message, or of its channel if the message is private."""
    place = f"https://discord.com/channels/{job.guild_id}/{job.channel_id}"
    return f"{place}/{job.message_id}" if job.message_id and not job.is_private else place


def prompt(job: Job) -> str:
    """Return a job's prompt, or what people see instead of a fixed or a removed one."""
    if job.text_removed_at:
        return translate("prompt-removed", job.locale)
    return preset_text(job).translate(job.locale) if job.preset else job.prompt


def preset_text(job: Job) -> LazyText:
    """Return what people see instead of a job's fixed instruction."""
    return LazyText(f"preset-{job.preset}", {"resolution": str(job.input.get(RESOLUTION, ""))})


def is_prompt_shown(job: Job, message: discord.Message | None) -> bool:
    """Return whether a message shows the job's prompt, which it does not after AutoMod refused it."""
    shown = " ".join(str(each.description) for each in (message.embeds if message else []))
    forms = bold(prompt(job)), blockquote(prompt(job))  # messages of older versions quote it
    return any(" ".join(form.split()) in " ".join(shown.split()) for form in forms)


def is_prompt_truncated(job: Job) -> bool:
    """Return whether a message shows only the beginning of the prompt."""
    return len(prompt(job)) > PROMPT_SHOWN


def alt_text(job: Job, number: int, count: int) -> str:
    """Return an image's description for screen readers: prompt and number, at most 1024 characters."""
    words = prompt(job)
    if len(job.input_files) == 1:  # which is shown beside it
        words = translate("alt-after", job.locale, prompt=words)
    if count == 1:
        return truncate(words, _ALT_TEXT)
    place = translate("image-place", job.locale, number=number, count=count)
    return f"{truncate(words, _ALT_TEXT - len(place) - 1)} {place}"


def file_name(job: Job, number: int, suffix: str) -> str:
    """Return an image's name of prompt, seed and number, in characters that `attachment://` takes.

    A file that is passed on keeps its name, so that of a private job has nothing of the prompt.
    """
    words = "" if job.is_private or is_prompt_hidden(job) else prompt(job)
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain))
    if len(slug) > _SLUG:
        slug = slug[: _SLUG + 1].rpartition("-")[0] or slug[:_SLUG]
    seed = f"-{job.input['seed']}" if "seed" in job.input else ""
    return f"{slug or 'image'}{seed}-{number}{suffix}"


def _status(job: Job, progress: Progress) -> str:
    if progress.is_paused or progress.is_provider_down:
        why_waiting = "status-paused" if progress.is_paused else "status-service-down"
        return translate(why_waiting, job.locale, since=timestamp(job.interaction_at))
    match job.status:
        case JobStatus.FAILED:
            return _failed(job)
        case JobStatus.CANCELLED:
            by = f"<@{job.cancelled_by}>" if job.cancelled_by else "none"
            return translate("status-canceled", job.locale, by=by)
        case JobStatus.IN_PROGRESS:
            since = timestamp(job.started_at or job.interaction_at)
            if progress.typical_seconds is None:
                return translate("status-generating", job.locale, since=since)
            usual = _round_duration(progress.typical_seconds)
            return translate("status-generating-usually", job.locale, since=since, usual=usual)
        case _:
            since = timestamp(job.interaction_at)
            is_queued = progress.queue_position is not None or job.status is JobStatus.IN_QUEUE
            key = "status-in-queue" if is_queued else "status-waiting"
            return translate(key, job.locale, since=since, place=progress.queue_position or 0)


def _round_duration(seconds: float) -> LazyText:
    """Round a duration up, to coarser steps the longer it is."""
    step = next(step for most, step in ((20, 1), (60, 5), (120, 10), (math.inf, 60)) if seconds <= most)
    rounded = max(1, math.ceil(seconds / step)) * step
    if rounded > 120:
        return LazyText("roughly-minutes", {"count": rounded // 60})
    return LazyText("roughly-seconds", {"count": rounded})


def _failed(job: Job) -> str:
    parts = [_reason(job)]
    if job.is_fetchable and job.error in _TROUBLE_HERE:
        parts.append(translate("may-be-collected", job.locale))
    if job.refunded == job.image_count:
        parts.append(translate("not-charged", job.locale))
    return " ".join(parts)


def _reason(job: Job) -> str:
    if job.preset and job.error == PromptRefusedError.key:  # there is no prompt to edit
        return translate("picture-refused", job.locale)
    if job.preset and job.error == GenerationFailedError.key:
        return translate("picture-failed", job.locale)
    if job.input_files and job.error == PromptRefusedError.key:
        return translate("prompt-or-picture-refused", job.locale)
    return translate(job.error or "unexpected", job.locale, **with_timestamps(job.error_values))


def _took(job: Job) -> str:
    if job.is_collected and job.error != NOT_COLLECTED:
        return translate("status-collected", job.locale)
    took = (job.ended_at or job.created_at) - job.created_at
    seconds = max(round(took.total_seconds()), 0)  # the clock can have been set meanwhile
    return translate("roughly-seconds", job.locale, count=seconds)


def options(job: Job, catalogue: Catalogue) -> list[str]:
    """Return a job's resolution, other options that differ from the defaults, seed, and how many images.

    That is how many go into it, if any, and how many come out, if several.
    """
    parts = [*_main_options(job, catalogue), *_seed(job)]
    if job.input_files:
        parts.append(translate("from-pictures", job.locale, count=len(job.input_files)))
    if job.image_count > 1:
        parts.append(translate("images", job.locale, count=job.image_count))
    return parts


def _main_options(job: Job, catalogue: Catalogue) -> list[str]:
    model = catalogue.known.get(job.model_id)
    if model is None:
        return []
    shown = {*model.schema.non_defaults(job.input), RESOLUTION}
    options = [(name, job.input[name]) for name in model.schema.options if name in shown & job.input.keys()]
    return [option(model, name, value, job.locale) for name, value in options]


def _seed(job: Job) -> list[str]:
    return [translate("seed", job.locale, seed=str(job.input["seed"]))] if "seed" in job.input else []


def option(model: Model, name: str, value: str | float, locale: str) -> str:
    """Return an option's value, with its title if the value doesn't say what it is."""
    # 16:9 or 2K needs no title; a bare True or 6 does.
    if isinstance(value, str):
        if value in model.schema.options[name].choices:
            value = with_decimal_mark(value, locale)
        return escape(truncate(value, _OPTION_SHOWN))
    title = escape(truncate(model.title(name, locale), _OPTION_SHOWN))
    if isinstance(value, bool):
        return translate("option-on" if value else "option-off", locale, option=title)
    return translate("option-value", locale, option=title, value=Decimal(str(value)))


def _notes(job: Job, fitted: Sequence[FittedImage], delivered: int) -> list[str]:
    notes = [
        _compressed_note(job, number, file, file.copy) for number, file in enumerate(fitted, 1) if file.copy
    ]
    is_done = job.status is JobStatus.SUCCEEDED and delivered > 0
    if is_done and delivered < job.image_count:
        notes += _missing_notes(job, delivered)
    if is_done and is_prompt_truncated(job):
        notes.append(translate("cut-prompt", job.locale))
    return notes


def _missing_notes(job: Job, delivered: int) -> list[str]:
    """Return what happened to the missing images: they can be collected, or they were refunded."""
    made = job.image_count if job.made is None else job.made
    waiting = made - delivered if job.is_fetchable else 0
    missing = job.image_count - delivered - waiting
    values = {"delivered": delivered, "total": job.image_count}
    if not waiting:
        return [translate("images-refunded", job.locale, missing=missing, **values)]
    notes = [translate("images-uncollected", job.locale, missing=waiting, **values)]
    return [*notes, translate("images-not-made", job.locale, missing=missing)] if missing else notes


def _compressed_note(job: Job, number: int, file: FittedImage, copy: WebpCopy) -> str:
    return translate(
        "file-compressed",
        job.locale,
        number=number,
        format="WebP",
        width=copy.width,
        height=copy.height,
        size=megabytes(file.size_bytes),
        original="WebP" if copy.original_format == "webp" else copy.original_format.upper(),
        originalsize=megabytes(copy.original_bytes),
        limit=megabytes(job.file_limit),
    )
