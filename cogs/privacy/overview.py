"""What /privacy shows, and the form that asks before everything is deleted."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from discord import ui

from bot.discord.client import ImagineBot
from bot.discord.markdown import timestamp
from bot.discord.views.job_buttons import JobAction, JobButton
from bot.discord.views.quota_text import text_embed
from bot.i18n import translate
from bot.media.kept import KeptFiles
from bot.storage.privacy import PersonSummary
from bot.storage.quotas import LONGEST_WINDOW


@dataclass(frozen=True)
class StoredFiles:
    """How many files of a person's jobs are on the disk."""

    pictures: int = 0
    """Pictures that went into jobs."""
    originals: int = 0
    """Delivered images as the models made them."""
    kept_until: datetime | None = None
    """When the last of these files is deleted."""
    uncollected: int = 0
    """Images that were not delivered."""

    @classmethod
    def count(cls, kept: KeptFiles, job_ids: Iterable[str]) -> "StoredFiles":
        """Look for the files of these jobs; reads the disk."""
        pictures = originals = uncollected = 0
        ends = []
        for job_id in kept.stored_jobs().intersection(job_ids):
            pictures += len(kept.inputs(job_id))
            for original in kept.list_originals(job_id):
                if original.kept_until is None:
                    uncollected += 1
                else:
                    originals += 1
                    ends.append(original.kept_until)
        return cls(pictures, originals, max(ends, default=None), uncollected)


@dataclass(frozen=True)
class Overview:
    """What is stored about a person, in numbers."""

    summary: PersonSummary
    files: StoredFiles

    @classmethod
    async def read(cls, bot: ImagineBot, user_id: int) -> "Overview":
        """Count what is stored about a person."""
        store = bot.erasure_service.store
        summary, job_ids = await store.summary(user_id), await store.job_ids(user_id)
        return cls(summary, await asyncio.to_thread(StoredFiles.count, bot.kept_files, job_ids))

    def content(self, bot: ImagineBot, locale: str) -> dict[str, Any]:
        """Return the embed and the buttons."""
        sections = {
            translate("privacy-stored", locale): self._stored(locale),
            translate("privacy-how-long", locale): _how_long(bot, locale),
            translate("privacy-elsewhere", locale): [translate("privacy-elsewhere-explained", locale)],
            translate("privacy-not-stored", locale): [translate("privacy-not-stored-explained", locale)],
        }
        texts = ("\n".join([f"**{title}**", *lines]) for title, lines in sections.items())
        return {"embed": text_embed(["\n\n".join(texts)]), "view": self._buttons(locale)}

    def _stored(self, locale: str) -> list[str]:
        summary, files = self.summary, self.files
        lines = []
        if summary.erasing:
            lines.append(translate("privacy-erasing", locale, count=summary.erasing))
        if summary.texts:
            lines.append(translate("privacy-texts", locale, count=summary.texts))
        if files.pictures:
            lines.append(translate("privacy-pictures", locale, count=files.pictures))
        if files.originals and files.kept_until:
            until = timestamp(files.kept_until, "f")
            lines.append(translate("privacy-originals", locale, count=files.originals, until=until))
        if files.uncollected:
            lines.append(translate("privacy-uncollected", locale, count=files.uncollected))
        if summary.messages:
            lines.append(translate("privacy-messages", locale, count=summary.messages))
        if numbers := summary.requests - summary.texts:
            lines.append(translate("privacy-numbers", locale, count=numbers))
        return lines or [translate("privacy-nothing", locale)]

    def _buttons(self, locale: str) -> ui.View:
        view = ui.View(timeout=None)
        actions = [JobAction.EXPORT]
        if self.summary.erasable > self.summary.erasing:
            actions.append(JobAction.ERASE)
        for action in actions:
            view.add_item(JobButton.labelled(action, "", action.label(locale)))
        view.stop()  # discord.py keeps no state
        return view

    def form(self, locale: str) -> ui.Modal:
        """Return the form that says what is deleted."""
        form = ui.Modal(title=JobAction.ERASE.label(locale), custom_id=f"job:{JobAction.ERASE}:v1:")
        goes = translate(
            "erase-goes",
            locale,
            requests=self.summary.erasable,
            files=self.files.pictures + self.files.originals + self.files.uncollected,
            messages=self.summary.messages,
        )
        warning = translate("erase-warning", locale)
        stays = translate("erase-stays", locale, days=LONGEST_WINDOW.days)
        form.add_item(ui.TextDisplay(f"{goes}\n\n{warning}\n\n{stays}"))
        form.stop()  # so that discord.py keeps no state for it
        return form


def _how_long(bot: ImagineBot, locale: str) -> list[str]:
    text_age, kept = bot.erasure_service.text_age, bot.kept_files
    days, collect = kept.max_age.days, kept.files.max_age.days
    return [
        translate("privacy-prompts-kept", locale, days=text_age.days if text_age else 0),
        translate("privacy-files-kept", locale, days=days, collect=collect),
        translate("privacy-numbers-kept", locale, days=LONGEST_WINDOW.days),
    ]
