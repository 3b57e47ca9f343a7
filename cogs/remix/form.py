"""The form of Remix and Edit prompt: a job's prompt and main options, to be sent as a new request.

It is built from the model's schema. Its custom_id is the button's, so a form that is submitted after a
restart still names its job, and discord.py keeps no state for it. A modal takes five components, a text
input 4,000 characters: https://discord.com/developers/docs/components/reference#text-input
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import discord
from discord import ui

from bot.discord.markdown import truncate
from bot.discord.views.components import walk_components
from bot.discord.views.job_buttons import JobAction, JobButton
from bot.discord.views.job_embed import preset_text
from bot.domain.guild_settings import GuildSettings
from bot.domain.job import Job, OptionValue
from bot.domain.requester import Requester
from bot.errors import InvalidOptionError, PolicyError
from bot.i18n import LazyText, translate, with_decimal_mark
from bot.models.model import Model
from bot.models.options import Option
from bot.models.schema import IMAGE_COUNT_OPTIONS, is_blank
from bot.policy.rules import allowed_values

_TEXT_MAX: Final = 4000
_LABEL_MAX: Final = 45
_CHOICE_MAX: Final = 100
_LINES: Final = 24
_LISTS: Final = 4
# Models name the ratio aspect_ratio, ratio, size or image_size; its values are what they have in common.
_RATIO: Final = re.compile(r"\d+:\d+|\d+[x*]\d+|square(_hd)?|(portrait|landscape)\w*", re.IGNORECASE)
_RESOLUTION: Final = re.compile(r"\d+(\.\d+)?[KP]", re.IGNORECASE)


@dataclass(frozen=True)
class RemixForm:
    """The fields for a model: the prompt, ratio, resolution, number of images, and one more list."""

    model: Model
    text_option: Option
    choice_options: tuple[Option, ...]

    @classmethod
    def for_model(cls, model: Model) -> Self:
        """Return the model's form.

        Raises:
            PolicyError: The model takes no text (`form-outdated`).
        """
        text = model.schema.main_text
        if text is None:
            raise PolicyError("form-outdated")
        lists = sorted(filter(_is_listed, model.schema.options.values()), key=_rank)
        return cls(model, text, tuple(lists[:_LISTS]))

    @property
    def max_length(self) -> int:
        """The longest text that the form takes, in characters."""
        return min(_TEXT_MAX, self.text_option.max_length or _TEXT_MAX)

    def modal(
        self, action: JobAction, job: Job, requester: Requester, settings: GuildSettings, *, may_see: bool
    ) -> ui.Modal:
        """Return the form, prefilled from the job; `may_see` includes its prompt.

        It lists what the server's rules allow.
        """
        locale = requester.locale
        modal = ui.Modal(title=action.label(locale), custom_id=JobButton.custom_id_of(job, action))
        modal.add_item(self._prompt(job, locale, may_see=may_see))
        for option in self.choice_options:
            allowed = allowed_values(settings, requester, option)
            modal.add_item(self._list(option, job, allowed, locale))
        modal.stop()  # so that discord.py keeps no state for it
        return modal

    def _prompt(self, job: Job, locale: str, *, may_see: bool) -> ui.Label[Any]:
        text, hint = str(job.input.get(self.text_option.name, "")), None
        if job.preset:
            text, hint = "", translate("hint-preset", locale)
        elif not may_see:
            text, hint = "", translate("hint-prompt-hidden", locale)
        elif _utf16_length(text) > self.max_length:
            hint = translate("hint-prompt-cut", locale, most=self.max_length, length=_utf16_length(text))
        field: ui.TextInput[Any] = ui.TextInput(
            custom_id=self.text_option.name,
            style=discord.TextStyle.paragraph,
            placeholder=preset_text(job).translate(locale) if job.preset else None,
            default=_truncate_utf16(text, self.max_length),
            required=job.preset is None,
            min_length=0 if job.preset else 1,
            max_length=self.max_length,
        )
        return ui.Label(text=self._title(self.text_option, locale), description=hint, component=field)

    def _list(self, option: Option, job: Job, allowed: Sequence[OptionValue], locale: str) -> ui.Label[Any]:
        now, listed = job.input.get(option.name), option.listed(_LINES)
        offered = [each for each in listed if each in allowed] or listed
        if now is not None and now not in listed and self.model.schema.accepts(option.name, now):
            offered = [now, *offered]
        options = [
            discord.SelectOption(
                label=with_decimal_mark(str(each), locale),
                value=str(each),
                description=self._price(job, option, each, locale),
                default=each == now,
            )
            for each in offered
        ]
        is_needed = now is not None or option.required
        field: ui.Select[Any] = ui.Select(custom_id=option.name, options=options, required=is_needed)
        return ui.Label(text=self._title(option, locale), component=field)

    def _price(self, job: Job, option: Option, value: OptionValue, locale: str) -> str | None:
        """Return what an image costs with this value and the job's others, if it depends on the option."""
        if option.name not in self.model.prices.table:
            return None
        credits = self.model.prices.credits_per_image({**job.input, option.name: value})
        return translate("hint-price", locale, credits=credits)

    def _title(self, option: Option, locale: str) -> str:
        return truncate(self.model.title(option.name, locale), _LABEL_MAX)

    def keeps_preset(self, job: Job, filled: Mapping[str, object]) -> bool:
        """Return whether a job's fixed instruction was not replaced in a filled form."""
        text = str(filled[self.text_option.name])
        return job.preset is not None and (is_blank(text) or text == job.prompt)

    def is_unchanged(self, job: Job, filled: Mapping[str, object]) -> bool:
        """Return whether the values of a filled form are the job's."""
        options = (self.text_option, *self.choice_options)
        return all(option.coerce(filled[option.name]) == job.input.get(option.name) for option in options)

    def parse(self, data: dict[str, Any], locale: str) -> dict[str, object]:
        """Return the values by option name; the schema still has to check them.

        Raises:
            PolicyError: It has other fields than this form (`form-outdated`).
            InvalidOptionError: The text is longer than the form takes.
        """
        sent = [part for part in walk_components(data.get("components")) if "custom_id" in part]
        by_name = {str(part["custom_id"]): part for part in sent}
        expected = {option.name for option in (self.text_option, *self.choice_options)}
        if len(sent) != len(by_name) or set(by_name) != expected:
            raise PolicyError("form-outdated")
        values: dict[str, object] = {}
        for name, part in by_name.items():
            match part.get("value" if name == self.text_option.name else "values"):
                case str(value) | [str(value)]:
                    values[name] = value
                case []:
                    values[name] = None
                case _:
                    raise PolicyError("form-outdated")
        if len(str(values[self.text_option.name])) > self.max_length:
            name = self.model.option_names(locale)[self.text_option.name]
            problem = LazyText("problem-maxLength", {"wanted": self.max_length})
            raise InvalidOptionError(option=name, problem=problem)
        return values


def _rank(option: Option) -> int:
    """Return an option's place in the form, by its meaning."""
    values = [str(each) for each in option.choices]
    if any(map(_RATIO.fullmatch, values)):
        return 0
    if any(map(_RESOLUTION.fullmatch, values)):
        return 1
    return 2 if option.name in IMAGE_COUNT_OPTIONS else 3


def _is_listed(option: Option) -> bool:
    """Return whether Discord can list every choice of an option."""
    if option.type == "boolean" or option.is_seed:
        return False
    values = [str(each) for each in option.listed(_LINES)]
    return bool(values) and all(1 <= len(value) <= _CHOICE_MAX for value in values)


def _utf16_length(text: str) -> int:
    """Return a length as Discord counts it, in UTF-16 units: most emoji are two."""
    return len(text.encode("utf-16-le", "replace")) // 2


def _truncate_utf16(text: str, most: int) -> str:
    """Cut a text to `most` UTF-16 units, after a whole word if one ends nearby."""
    fits = text.encode("utf-16-le", "replace")[: 2 * most].decode("utf-16-le", "ignore")
    return text if fits == text else truncate(f"{fits} ", len(fits)).removesuffix("…")
