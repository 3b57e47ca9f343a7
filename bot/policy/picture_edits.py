"""What can be made from a finished picture: an edit, a variation or a larger copy, by which model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.models.resolutions import resolution_width
from bot.models.schema import IMAGE_COUNT_OPTIONS
from bot.policy.rules import RESOLUTION, allowed_values, credits_per_image, may_be_used

if TYPE_CHECKING:
    from decimal import Decimal

    from bot.domain.guild_settings import GuildSettings
    from bot.domain.job import Job, OptionValue
    from bot.models.catalogue import Catalogue, Model
    from bot.models.options import Option

ASPECT_RATIO: Final = "aspect_ratio"
_LIKE_PICTURE: Final = "auto"  # the ratio that follows the picture


@dataclass(frozen=True)
class PictureEdit:
    """A request for one image that is made from another one."""

    model: Model
    file_option: str
    """The property that takes the picture."""
    text_option: Option
    """The property that takes the instruction."""
    values: dict[str, OptionValue]
    """All that is chosen, except for the instruction; other options get their defaults."""
    credits: Decimal


def edit_of(job: Job, catalogue: Catalogue, settings: GuildSettings) -> PictureEdit | None:
    """Return the edit of one of a job's pictures at its resolution; None if no offered model can do it."""
    model = catalogue.edit_model(job.model_id)
    if model is None:
        return None
    resolution = _fitting(allowed_resolutions(model, settings), job.input.get(RESOLUTION))
    return _edit(model, settings, job, resolution)


def upscale_of(job: Job, catalogue: Catalogue, settings: GuildSettings) -> PictureEdit | None:
    """Return the edit that repeats a job's picture at the model's next resolution; None at the highest."""
    model, width = catalogue.edit_model(job.model_id), resolution_width(job.input.get(RESOLUTION))
    if model is None or width is None:
        return None
    higher = [each for each in allowed_resolutions(model, settings) if (resolution_width(each) or 0) > width]
    return _edit(model, settings, job, higher[0]) if higher else None


def edit_of_any(model: Model, settings: GuildSettings) -> PictureEdit | None:
    """Return the edit of any picture by this model; None if it takes none."""
    return _edit(model, settings, None, None)


def allowed_resolutions(model: Model, settings: GuildSettings) -> list[OptionValue]:
    """Return the resolutions of a model that the server's rules allow, from low to high."""
    option = model.schema.options.get(RESOLUTION)
    return allowed_values(settings, None, option) if option else []


def _edit(
    model: Model, settings: GuildSettings, job: Job | None, resolution: OptionValue | None
) -> PictureEdit | None:
    file, text = model.picture_input, model.schema.main_text
    if file is None or text is None or not may_be_used(settings, model.model_id, has_pictures=True):
        return None
    wanted = {name: 1 for name in IMAGE_COUNT_OPTIONS if name in model.schema.options}
    values: dict[str, OptionValue] = {**wanted}
    if resolution is not None:
        values[RESOLUTION] = resolution
    ratio = next((each for each in _ratios(job) if model.schema.accepts(ASPECT_RATIO, each)), None)
    if ratio is not None:
        values[ASPECT_RATIO] = ratio
    return PictureEdit(model, file.name, text, values, credits_per_image(settings, model, values))


def _ratios(job: Job | None) -> list[OptionValue]:
    """Return the ratios that keep the picture's, the surest first."""
    own = job.input.get(ASPECT_RATIO) if job else None
    return [_LIKE_PICTURE] if own is None else [own, _LIKE_PICTURE]


def _fitting(resolutions: list[OptionValue], wanted: OptionValue | None) -> OptionValue | None:
    """Return the highest resolution up to the wanted one, else the lowest; None leaves it to the defaults."""
    width = resolution_width(wanted)
    if width is None or not resolutions:
        return None
    return ([each for each in resolutions if (resolution_width(each) or 0) <= width] or resolutions[:1])[-1]
