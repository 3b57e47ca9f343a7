"""A request that is made from pictures: what its form asks for, and the job of the filled form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.discord.attachments import input_files
from bot.discord.client import ImagineBot
from bot.discord.views.job_buttons import JobAction
from bot.domain.job import InputFile, Job
from bot.domain.requester import Requester
from bot.errors import PolicyError
from bot.policy.picture_edits import PictureEdit, edit_of, edit_of_any, upscale_of
from bot.policy.rules import check_access, check_model
from cogs.edit.form import Filled, PictureForm
from cogs.edit.instructions import INSTRUCTIONS, UPSCALE
from cogs.edit.pictures import Picture


@dataclass(frozen=True, kw_only=True)
class PictureRequest:
    """A request that lacks only what its form asks for."""

    edit: PictureEdit
    form: PictureForm
    pictures: Mapping[int, Picture]
    """The pictures that the form offers."""
    parent: Job | None = None
    """The finished job whose images they are."""

    async def reserve(self, bot: ImagineBot, requester: Requester, data: dict[str, Any]) -> Job | None:
        """Reserve the job for a filled form; see `JobService.reserve`.

        Raises:
            UserError: As `PictureForm.parse`, `input_files` and `JobService.reserve`.
        """
        filled, option = self.form.parse(data), self.edit.file_option
        preset = self._preset(filled)
        text = INSTRUCTIONS[preset] if preset else filled.instruction
        chosen = [self.pictures[number] for number in filled.chosen]
        files = tuple(
            InputFile(option=option, url=each.url, kept=each.kept, is_spoiler=each.is_spoiler)
            for each in chosen
        )
        if filled.upload:
            files = input_files([(option, filled.upload)])
        values: dict[str, object] = {**self.edit.values, self.edit.text_option.name: text}
        return await bot.job_service.reserve(
            requester, self.edit.model, values, files=files, preset=preset, parent=self.parent
        )

    def _preset(self, filled: Filled) -> str | None:
        return None if self.form.instruction else filled.strength or UPSCALE


async def request_for_job(
    bot: ImagineBot, requester: Requester, action: JobAction, job: Job, pictures: Mapping[int, Picture]
) -> PictureRequest:
    """Return the request of Edit, Vary or Upscale for a finished job.

    Raises:
        PolicyError: `no-edit-model`, `no-higher-resolution` or `text-removed`, or as `check_access` and
            `check_model`.
    """
    if job.text_removed_at:  # such as its resolution
        raise PolicyError("text-removed")
    settings = await bot.settings_store.get(requester.guild_id)
    check_access(settings, requester)
    find = upscale_of if action is JobAction.UPSCALE else edit_of
    edit = find(job, bot.catalogue, settings)
    if edit is None:
        if edit_of(job, bot.catalogue, settings):
            raise PolicyError("no-higher-resolution")
        raise PolicyError("no-edit-model")
    check_model(settings, requester, edit.model, has_pictures=True)
    form = PictureForm(
        action=action,
        credits=edit.credits,
        pictures=_names(pictures),
        instruction=edit.text_option if action is JobAction.EDIT else None,
        has_strength=action is JobAction.VARY,
    )
    return PictureRequest(edit=edit, form=form, pictures=pictures, parent=job)


async def request_for_any(
    bot: ImagineBot, requester: Requester, pictures: Mapping[int, Picture]
) -> PictureRequest:
    """Return the request of the menu for pictures that are no job's.

    Raises:
        PolicyError: `no-edit-model`, or as `check_access` and `check_model`.
    """
    settings = await bot.settings_store.get(requester.guild_id)
    check_access(settings, requester)
    model = bot.catalogue.edit_model()
    edit = edit_of_any(model, settings) if model else None
    if edit is None:
        raise PolicyError("no-edit-model")
    check_model(settings, requester, edit.model, has_pictures=True)
    form = PictureForm(
        action=JobAction.EDIT_MESSAGE,
        credits=edit.credits,
        pictures=_names(pictures),
        most_pictures=edit.model.schema.files[edit.file_option].most,
        instruction=edit.text_option,
    )
    return PictureRequest(edit=edit, form=form, pictures=pictures)


def _names(pictures: Mapping[int, Picture]) -> dict[int, str]:
    return {number: picture.name for number, picture in pictures.items()}
